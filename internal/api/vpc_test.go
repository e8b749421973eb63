package api_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVPC(t *testing.T) {
	s := newServer(t)
	const subnet, group, invalid = "subnet-0123456789abcdef0", "sg-0123456789abcdef0", "InvalidParameterValueException"
	const accessPoint = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0"
	inVPC := object{"VpcConfig": object{"SubnetIds": []any{subnet}, "SecurityGroupIds": []any{group}}}
	files := object{"FileSystemConfigs": []any{object{"Arn": accessPoint, "LocalMountPath": "/mnt/data"}}}
	put := func(in object) request {
		return request{method: "PUT", path: fns + "/f/configuration", body: in}
	}
	want := func(a answer, ids, groups []any, vpc string) {
		t.Helper()
		v, _ := a.body["VpcConfig"].(object)
		if id, _ := v["VpcId"].(string); !regexp.MustCompile(vpc).MatchString(id) {
			t.Errorf("the VPC is %q", id)
		}
		delete(v, "VpcId")
		if diff := cmp.Diff(object{"SubnetIds": ids, "SecurityGroupIds": groups, "Ipv6AllowedForDualStack": false}, v); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	const id = `^vpc-[0-9a-f]{17}$`
	a := s.create("g")
	if _, there := a.body["VpcConfig"]; there {
		t.Errorf("a function without VPC shows %v", a.body["VpcConfig"])
	}
	want(s.create("f", inVPC, files), []any{subnet}, []any{group}, id)
	got := s.settle("f")
	want(got, []any{subnet}, []any{group}, id)
	if diff := cmp.Diff(files["FileSystemConfigs"], got.body["FileSystemConfigs"]); diff != "" {
		t.Errorf("file systems: %s", diff)
	}
	both := func(subnet, group string) object {
		return object{"VpcConfig": object{"SubnetIds": []string{subnet}, "SecurityGroupIds": []string{group}}}
	}
	for _, row := range []struct {
		in              object
		exception, text string
	}{
		{both("subnet-x", group), invalid, "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID 'subnet-x' does not exist"},
		{both("subnet-01234567", group), invalid, "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID 'subnet-01234567' does not exist"},
		{both(subnet, "sg-x"), invalid, "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: The security group 'sg-x' does not exist"},
		{object{"VpcConfig": object{"SubnetIds": []string{subnet}}}, invalid, "SubnetIds and SecurityIds must coexist or be both empty list."},
		{object{"VpcConfig": object{}}, invalid, "Function must be configured to execute in a VPC to reference access point " + accessPoint + "."},
		{both("a b", group), "ValidationException", "1 validation error detected: Value '[a b]' at 'vpcConfig.subnetIds' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: subnet-[0-9a-z]*, Member must not be null]"},
	} {
		s.refused(400, row.exception, row.text, put(row.in))
	}
	s.ok(200, put(object{"Description": "kept"}))
	want(s.settle("f"), []any{subnet}, []any{group}, id)
	s.ok(200, put(object{"VpcConfig": object{"SubnetIds": []any{}, "SecurityGroupIds": []any{}}, "FileSystemConfigs": []any{}}))
	got = s.settle("f")
	want(got, []any{}, []any{}, `^$`)
	if _, there := got.body["FileSystemConfigs"]; there {
		t.Errorf("removed file systems are shown: %v", got.body["FileSystemConfigs"])
	}
}

// TestSnapStart: it is on for versions alone.
func TestSnapStart(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"SnapStart": object{"ApplyOn": "PublishedVersions"}, "Publish": true})
	for qualifier, status := range map[string]string{"$LATEST": "Off", "1": "On"} {
		a := s.ok(200, request{method: "GET", path: fns + "/f/configuration?Qualifier=" + qualifier})
		if diff := cmp.Diff(object{"ApplyOn": "PublishedVersions", "OptimizationStatus": status}, a.body["SnapStart"]); diff != "" {
			t.Errorf("%s: %s", qualifier, diff)
		}
	}
}
