package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/config"
)

func valid() config.Config {
	return config.Default(func(k string) string { return map[string]string{"HOME": "/home/ada"}[k] }, false)
}

func TestValidate(t *testing.T) {
	type change func(*config.Config)
	for name, tt := range map[string]struct {
		change
		want string // in the error; "" is none
	}{
		"as it is":         {func(*config.Config) {}, ""},
		"localhost":        {func(c *config.Config) { c.Listen = "localhost:80" }, ""},
		"IPv6 loopback":    {func(c *config.Config) { c.Listen = "[::1]:4566" }, ""},
		"another loopback": {func(c *config.Config) { c.Listen = "127.9.9.9:0" }, ""},
		"all addresses":    {func(c *config.Config) { c.Listen = ":4566" }, "only the \"open\" mode of authentication is built"},
		"all of IPv6":      {func(c *config.Config) { c.Listen = "[::]:4566" }, "\"sigv4\", which other addresses need, is not built yet"},
		"an outer address": {func(c *config.Config) { c.Listen = "192.0.2.1:4566" }, "Use 127.0.0.1:4566"},
		"a name":           {func(c *config.Config) { c.Listen = "example.org:80" }, "is refused"},
		"no port":          {func(c *config.Config) { c.Listen = "127.0.0.1" }, "is not HOST:PORT"},
		"port too large":   {func(c *config.Config) { c.Listen = "127.0.0.1:65536" }, "is not HOST:PORT"},
		"relative data":    {func(c *config.Config) { c.Data = "x" }, "absolute"},
		"region":           {func(c *config.Config) { c.Region = "earth" }, "is not a region"},
		"account":          {func(c *config.Config) { c.Account = "42" }, "is not 12 digits"},
		"organization":     {func(c *config.Config) { c.Organization = []string{"o-abcdefghij=123456789012"} }, ""},
		"no organization":  {func(c *config.Config) { c.Organization = []string{"abcdefghij=123456789012"} }, "is not an organisation and an account"},
		"no account":       {func(c *config.Config) { c.Organization = []string{"o-abcdefghij"} }, "is not an organisation and an account"},
		"two organizations": {func(c *config.Config) {
			c.Organization = []string{"o-abcdefghij=123456789012", "o-bbcdefghij=123456789012"}
		}, "account 123456789012 is in two organisations"},
		"host with port":    {func(c *config.Config) { c.Host = []string{"a:80"} }, "is not a host name"},
		"host with scheme":  {func(c *config.Config) { c.Host = []string{"http://a"} }, "is not a host name"},
		"host":              {func(c *config.Config) { c.Host = []string{"lamina.example-1.org"} }, ""},
		"reach":             {func(c *config.Config) { c.Reach = []string{"127.0.0.1:80", "[::1]:81"} }, ""},
		"reach port 0":      {func(c *config.Config) { c.Reach = []string{"h:0"} }, "is not HOST:PORT"},
		"reach any host":    {func(c *config.Config) { c.Reach = []string{":80"} }, "is not HOST:PORT"},
		"reach twice":       {func(c *config.Config) { c.Reach = []string{"a:80", "a:80"} }, ""},
		"reach one port":    {func(c *config.Config) { c.Reach = []string{"a:80", "b:80"} }, "a:80 and b:80 have the same port"},
		"network":           {func(c *config.Config) { c.Network = "host" }, "is none of auto, nat, none"},
		"networks":          {func(c *config.Config) { c.NetworkAllow = []string{"10.0.0.0/8", "192.168.1.7/32"} }, ""},
		"network, bits":     {func(c *config.Config) { c.NetworkAllow = []string{"10.0.0.1/8"} }, "10.0.0.1/8\" is not a network"},
		"network, none":     {func(c *config.Config) { c.NetworkDeny = []string{"intranet"} }, "is not a network such as"},
		"network, IPv6":     {func(c *config.Config) { c.NetworkDeny = []string{"fd00::/8"} }, "is not a network such as"},
		"endpoint":          {func(c *config.Config) { c.EndpointURL = "http://x" }, "is none of on, off"},
		"no endpoint":       {func(c *config.Config) { c.EndpointURL = "off" }, ""},
		"limits":            {func(c *config.Config) { c.Limits = "none" }, "is none of aws, relaxed"},
		"concurrency":       {func(c *config.Config) { c.Concurrency = 0 }, "at least 1"},
		"idle":              {func(c *config.Config) { c.IdleTimeout = 0 }, "longer than 0"},
		"drain":             {func(c *config.Config) { c.DrainTimeout = -time.Second }, "negative"},
		"no drain":          {func(c *config.Config) { c.DrainTimeout = 0 }, ""},
		"level":             {func(c *config.Config) { c.LogLevel = "loud" }, "is none of debug, info, warn, error"},
		"format":            {func(c *config.Config) { c.LogFormat = "xml" }, "is none of text, json"},
		"helper absent":     {func(c *config.Config) { c.Helper = "/nowhere/lamina-init" }, "no such file"},
		"helper no program": {func(c *config.Config) { c.Helper = "/etc/passwd" }, "is not a program"},
		"prepared":          {func(c *config.Config) { c.Prepared = -1 }, "between 0 and 64"},
		"prepared many":     {func(c *config.Config) { c.Prepared = 65 }, "between 0 and 64"},
		"spares":            {func(c *config.Config) { c.Spares = 65 }, "between 0 and 64"},
		"ahead":             {func(c *config.Config) { c.Ahead = 65 }, "between 0 and 64"},
		"freeze":            {func(c *config.Config) { c.Freeze = "yes" }, "is none of auto, on, off"},
		"cpu":               {func(c *config.Config) { c.CPU = "half" }, "is none of share, off"},
		"prepared none":     {func(c *config.Config) { c.Prepared = 0 }, ""},
		"helper relative":   {func(c *config.Config) { c.Helper = "bin/x" }, "absolute"},
		"postgres":          {func(c *config.Config) { c.Database = "postgres://u:p@h/d" }, ""},
		"sqlite":            {func(c *config.Config) { c.Database = "sqlite:///a/b.db" }, ""},
		"sqlite two slash":  {func(c *config.Config) { c.Database = "sqlite://a/b.db" }, "three slashes"},
		"s3":                {func(c *config.Config) { c.Blob = "s3://bucket" }, ""},
		"s3 elsewhere":      {func(c *config.Config) { c.Blob = "s3://b-1.x/a/b/?endpoint=http://127.0.0.1:9000/&region=garage" }, ""},
		"s3 no bucket":      {func(c *config.Config) { c.Blob = "s3:///p" }, "\"\" is not the name of a bucket"},
		"s3 bad bucket":     {func(c *config.Config) { c.Blob = "s3://Bucket_1" }, "is not the name of a bucket"},
		"s3 bad prefix":     {func(c *config.Config) { c.Blob = "s3://bucket/a//b" }, "is not a prefix"},
		"s3 parameter":      {func(c *config.Config) { c.Blob = "s3://bucket?endpont=http://h" }, "has the parameter \"endpont\""},
		"s3 endpoint":       {func(c *config.Config) { c.Blob = "s3://bucket?endpoint=h:9000" }, "has an endpoint that is not http://"},
		"s3 endpoint, path": {func(c *config.Config) { c.Blob = "s3://bucket?endpoint=http://h/p" }, "has an endpoint that is not http://"},
		"s3 region":         {func(c *config.Config) { c.Blob = "s3://bucket?region=a/b" }, "is not a region"},
		"objects":           {func(c *config.Config) { c.S3Endpoint = "http://127.0.0.1:9000/" }, ""},
		"objects, no URL":   {func(c *config.Config) { c.S3Endpoint = "127.0.0.1:9000" }, "is not a URL such as"},
		"objects, a path":   {func(c *config.Config) { c.S3Endpoint = "http://h/bucket" }, "is not a URL such as"},
		"objects, keys":     {func(c *config.Config) { c.S3Endpoint = "http://key:hunter2@h" }, "holds credentials"},
		"s3 with keys":      {func(c *config.Config) { c.Blob = "s3://hunter1:hunter2@bucket" }, "holds credentials"},
		"a folder":          {func(c *config.Config) { c.Blob = "/srv/blobs" }, "leave the setting out"},
		"mysql":             {func(c *config.Config) { c.Database = "mysql://h/d" }, "neither sqlite nor postgres"},
	} {
		t.Run(name, func(t *testing.T) {
			c := valid()
			tt.change(&c)
			err := c.Validate()
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestValidateTellsEverything(t *testing.T) {
	c := valid()
	c.Region, c.Account, c.LogFormat = "earth", "42", "xml"
	err := c.Validate()
	for _, name := range []string{"region: ", "account: ", "log-format: "} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is missing in %v", name, err)
		}
	}
}

func TestValidateHidesThePassword(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"database":        func(c *config.Config) { c.Database = "postgres://u:hunter2@h:port/d" },
		"blob":            func(c *config.Config) { c.Blob = "s3://key:hunter2@bucket" },
		"blob, port":      func(c *config.Config) { c.Blob = "s3://key:hunter2@bucket:port" },
		"objects":         func(c *config.Config) { c.S3Endpoint = "http://key:hunter2@h" },
		"objects, port":   func(c *config.Config) { c.S3Endpoint = "http://key:hunter2@h:port" },
		"blob, elsewhere": func(c *config.Config) { c.Blob = "s3://bucket?endpoint=http://key:hunter2@h" },
	} {
		t.Run(name, func(t *testing.T) {
			c := valid()
			change(&c)
			if err := c.Validate(); err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestS3(t *testing.T) {
	c := valid()
	if got, ok := c.S3(); ok {
		t.Errorf("without the setting: %+v", got)
	}
	c.Blob = "s3://bucket/a/b/?endpoint=http://127.0.0.1:9000/&region=eu-north-1"
	want := config.S3{Bucket: "bucket", Prefix: "a/b", Endpoint: "http://127.0.0.1:9000", Region: "eu-north-1"}
	if got, ok := c.S3(); !ok || got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
