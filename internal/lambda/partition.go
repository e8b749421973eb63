package lambda

import "strings"

// partitions are the beginnings of the regions' names that are not in AWS's standard partition.
var partitions = []struct{ region, name string }{
	{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"eusc-", "aws-eusc"},
	{"us-iso-", "aws-iso"}, {"us-isob-", "aws-iso-b"}, {"eu-isoe-", "aws-iso-e"}, {"us-isof-", "aws-iso-f"},
}

// PartitionOf gives the partition of a region, which stands in the ARNs of all that is in it.
func PartitionOf(region string) string {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.region) {
			return p.name
		}
	}
	return "aws"
}

// NewScope gives an account in a region.
func NewScope(account, region string) Scope {
	return Scope{Partition: PartitionOf(region), Account: account, Region: region}
}
