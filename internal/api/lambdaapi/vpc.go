package lambdaapi

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/laminadev/lamina/internal/lambda"
)

// vpc keeps the difference between no VpcConfig and an empty one, which takes a function out of its VPC.
func vpc(c *VPCConfig) *lambda.VPCConfig {
	if c == nil {
		return nil
	}
	return &lambda.VPCConfig{SubnetIDs: c.SubnetIDs, SecurityGroupIDs: c.SecurityGroupIDs, DualStack: deref(c.Ipv6AllowedForDualStack)}
}

// vpcConfig is the shape of what a function has in a VPC. Which VPC it is nobody says: each account has one in a region, by a
// name of its own. A function that was taken out of it has empty members.
func vpcConfig(k lambda.FunctionKey, c *lambda.VPCConfig) *VPCConfigResponse {
	if c == nil {
		return nil
	}
	id := ""
	if len(c.SubnetIDs) > 0 {
		sum := sha256.Sum256([]byte("lamina VPC " + k.Scope.String()))
		id = "vpc-" + hex.EncodeToString(sum[:])[:17]
	}
	return &VPCConfigResponse{SubnetIDs: present(c.SubnetIDs), SecurityGroupIDs: present(c.SecurityGroupIDs), VPCID: &id, Ipv6AllowedForDualStack: &c.DualStack}
}

// present makes a list that was not sent an empty one.
func present(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// fileSystems keeps the difference between a list that was not sent and an empty one.
func fileSystems(list []FileSystemConfig) *[]lambda.FileSystemConfig {
	if list == nil {
		return nil
	}
	out := []lambda.FileSystemConfig{}
	for _, f := range list {
		out = append(out, lambda.FileSystemConfig{ARN: f.ARN, MountPath: f.LocalMountPath})
	}
	return &out
}

// fileSystemConfigs is absent when there are none.
func fileSystemConfigs(list []lambda.FileSystemConfig) []FileSystemConfig {
	var out []FileSystemConfig
	for _, f := range list {
		out = append(out, FileSystemConfig{ARN: f.ARN, LocalMountPath: f.MountPath})
	}
	return out
}
