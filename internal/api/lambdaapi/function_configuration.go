package lambdaapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

func (a *API) getFunctionConfiguration(ctx context.Context, c *call, in *GetFunctionConfigurationRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	f, err := a.Control.GetFunction(ctx, c.Scope, ref)
	if err != nil {
		return nil, err
	}
	return configuration(f, ref.Qualifier), nil
}

func (a *API) updateFunctionConfiguration(ctx context.Context, c *call, in *UpdateFunctionConfigurationRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	f, err := a.Control.UpdateFunctionConfiguration(ctx, control.UpdateFunctionConfigurationInput{
		Caller: c.Scope, Ref: ref,
		Runtime: (*lambda.Runtime)(in.Runtime), Handler: in.Handler, Role: in.Role, Description: in.Description,
		MemorySize: integer(in.MemorySize), Timeout: integer(in.Timeout), StorageSize: storageSize(in.EphemeralStorage),
		Environment: variables(in.Environment), EnvironmentJSON: c.environmentJSON(),
		TracingMode: deref(in.TracingConfig).Mode, SnapStart: deref(in.SnapStart).ApplyOn,
		Logging: logging(in.LoggingConfig), KMSKeyARN: in.KMSKeyARN, DeadLetterARN: deadLetter(in.DeadLetterConfig),
		VPC: vpc(in.VPCConfig), FileSystems: fileSystems(in.FileSystemConfigs),
		Layers: list(in.Layers), RevisionID: lambda.RevisionID(deref(in.RevisionID)), NotBuilt: updateNotBuilt(in),
	})
	if err != nil {
		return nil, err
	}
	return configuration(f, ref.Qualifier), nil
}

// configuration is the shape of a function that all operations but lists answer with. The ARN has the qualifier that the
// caller gave.
func configuration(f control.Described, q lambda.Qualifier) *FunctionConfiguration {
	out := configurationItem(f, q)
	out.State, out.LastUpdateStatus = optional(string(f.State)), optional(string(f.UpdateStatus))
	out.StateReason, out.StateReasonCode = optional(f.StateReason.Text), optional(f.StateReason.Code)
	out.LastUpdateStatusReason, out.LastUpdateStatusReasonCode = optional(f.UpdateReason.Text), optional(f.UpdateReason.Code)
	out.RuntimeVersionConfig = runtimeVersion(f)
	return &out
}

// configurationItem is the shape of a function in a list: without states and without the version of its runtime.
func configurationItem(f control.Described, q lambda.Qualifier) FunctionConfiguration {
	cfg := &f.Latest.Config
	return FunctionConfiguration{
		FunctionName: new(string(f.Key.Name)), FunctionARN: new(f.Key.QualifiedARN(q)),
		Runtime: optional(string(cfg.Runtime)), Role: &cfg.Role, Handler: optional(cfg.Handler),
		CodeSize: &f.Latest.Code.Size, CodeSHA256: new(f.Latest.Code.Digest.Base64()),
		Description: &cfg.Description, Timeout: new(int64(cfg.Timeout)), MemorySize: new(int64(cfg.MemorySize)),
		LastModified: new(iso(f.Latest.LastModified)), Version: new(string(f.Version)),
		RevisionID: new(string(f.RevisionID)), PackageType: &cfg.PackageType, Architectures: cfg.Architectures,
		Environment: environment(cfg.Environment), EphemeralStorage: &EphemeralStorage{Size: int64(cfg.StorageSize)},
		TracingConfig: &TracingConfigResponse{Mode: &cfg.TracingMode},
		SnapStart:     snapStart(f),
		LoggingConfig: &LoggingConfig{
			LogFormat: &cfg.Logging.LogFormat, LogGroup: &cfg.Logging.LogGroup,
			ApplicationLogLevel: optional(cfg.Logging.ApplicationLogLevel), SystemLogLevel: optional(cfg.Logging.SystemLogLevel),
		},
		KMSKeyARN: optional(cfg.KMSKeyARN), DeadLetterConfig: deadLetterConfig(cfg.DeadLetterARN),
		Layers: layers(f.Latest.Layers), VPCConfig: vpcConfig(f.Key, cfg.VPC), FileSystemConfigs: fileSystemConfigs(cfg.FileSystems),
	}
}

// snapStart is on for a version that was published with it.
func snapStart(f control.Described) *SnapStartResponse {
	cfg, status := &f.Latest.Config, "Off"
	if cfg.SnapStart == "PublishedVersions" && f.Version != lambda.VersionLatest {
		status = "On"
	}
	return &SnapStartResponse{ApplyOn: &cfg.SnapStart, OptimizationStatus: &status}
}

// layers is absent when there are none: AWS never writes [].
func layers(refs []lambda.LayerRef) []Layer {
	var out []Layer
	for i := range refs {
		out = append(out, Layer{ARN: new(refs[i].ARN.String()), CodeSize: &refs[i].Size})
	}
	return out
}

func environment(v *lambda.Variables) *EnvironmentResponse {
	if v == nil {
		return nil
	}
	m := v.Map
	if m == nil {
		m = map[string]string{}
	}
	return &EnvironmentResponse{Variables: m}
}

func deadLetterConfig(arn string) *DeadLetterConfig {
	if arn == "" {
		return nil
	}
	return &DeadLetterConfig{TargetARN: &arn}
}

// runtimeVersion names the version of a managed runtime. AWS's names are opaque; ours depend on the runtime and the
// architecture alone, so that they stay the same.
func runtimeVersion(f control.Described) *RuntimeVersionConfig {
	cfg := &f.Latest.Config
	if cfg.Runtime == "" {
		return nil
	}
	name := sha256.Sum256(fmt.Appendf(nil, "lamina runtime %s %s", cfg.Runtime, cfg.Architectures))
	arn := fmt.Sprintf("arn:%s:lambda:%s::runtime:%s", f.Key.Partition, f.Key.Region, hex.EncodeToString(name[:]))
	return &RuntimeVersionConfig{RuntimeVersionARN: &arn}
}
