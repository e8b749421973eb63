package control

import (
	"regexp"

	"github.com/laminadev/lamina/internal/lambda"
)

// What a function has in a VPC is a record: there is no EC2 here that knows subnets and groups, so those whose identifiers have
// the form that EC2 gives today count as there, and no others.

var ec2ID = regexp.MustCompile(`^(subnet|sg)-[0-9a-f]{17}$`)

// checkVPC refuses a configuration that AWS would not put into a VPC.
func checkVPC(c *lambda.Configuration) error {
	v := c.VPC
	if v == nil {
		v = &lambda.VPCConfig{}
	}
	if (len(v.SubnetIDs) == 0) != (len(v.SecurityGroupIDs) == 0) {
		return lambda.Errorf(lambda.Invalid, "SubnetIds and SecurityIds must coexist or be both empty list.")
	}
	for _, id := range v.SubnetIDs {
		if !ec2ID.MatchString(id) {
			return lambda.Errorf(lambda.Invalid, "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. "+
				"EC2 Error Message: The subnet ID '%s' does not exist", id)
		}
	}
	for _, id := range v.SecurityGroupIDs {
		if !ec2ID.MatchString(id) {
			return lambda.Errorf(lambda.Invalid, "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. "+
				"EC2 Error Message: The security group '%s' does not exist", id)
		}
	}
	if len(c.FileSystems) > 0 && len(v.SubnetIDs) == 0 {
		return lambda.Errorf(lambda.Invalid, "Function must be configured to execute in a VPC to reference access point %s.", c.FileSystems[0].ARN)
	}
	return nil
}
