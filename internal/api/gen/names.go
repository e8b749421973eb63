package main

import (
	strings "strings"
	"unicode"
)

func cut(s string) (before, after string, found bool) { return strings.Cut(s, ".") }

// initialisms are the words of the model that Go writes in one case.
var initialisms = map[string]string{
	"Api": "API", "Arn": "ARN", "Arns": "ARNs", "Http": "HTTP", "Id": "ID", "Ids": "IDs", "Json": "JSON", "Sha": "SHA",
	"Uri": "URI", "Url": "URL", "Urls": "URLs", "Uuid": "UUID", "Vpc": "VPC",
}

// goName spells a name of the model as Go does: LayerVersionArn becomes LayerVersionARN.
func goName(name string) string {
	var b strings.Builder
	for _, w := range words(name) {
		if up, ok := initialisms[w]; ok {
			w = up
		}
		b.WriteString(w)
	}
	s := b.String()
	return strings.ToUpper(s[:1]) + s[1:]
}

// words splits a name where a capital follows something else, or begins a word after other capitals.
func words(name string) []string {
	var out []string
	runes := []rune(name)
	start := 0
	for i := 1; i < len(runes); i++ {
		begins := unicode.IsUpper(runes[i]) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if begins || unicode.IsDigit(runes[i]) != unicode.IsDigit(runes[i-1]) {
			out = append(out, string(runes[start:i]))
			start = i
		}
	}
	return append(out, string(runes[start:]))
}
