package cli

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/laminadev/lamina/internal/lambda"
)

// AWS's texts say what was refused. What is probably meant, or what would let it through, is added here.

// slipARN is an ARN of Lambda that leaves out what kind of thing it names.
var slipARN = regexp.MustCompile(`^(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}):([a-zA-Z0-9-_]+)((?::[^:]+)?)$`)

// otherKind is an ARN of the kind of thing that a command is not about.
var otherKind = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]*:\d{12}:(layer|function):`)

// meant says what a name that a command was given probably means, when it is not the ARN of a layer, or of a function.
func meant(kind, named string) string {
	if m := otherKind.FindStringSubmatch(named); m != nil {
		if m[1] == kind {
			return ""
		}
		return fmt.Sprintf("that is the ARN of a %s, and not of a %s", m[1], kind)
	}
	if m := slipARN.FindStringSubmatch(named); m != nil {
		return fmt.Sprintf("the ARN of a %s has %q in it; was %s:%s:%s%s meant?", kind, ":"+kind+":", m[1], kind, m[2], m[3])
	}
	return ""
}

// refusal is AWS's text about a layer version that its policy grants to nobody who called.
var refusal = regexp.MustCompile(`^User: arn:[a-z-]+:(?:iam|sts)::(\d{12}):\S+ is not authorized to perform: lambda:(\w+) on resource: (arn:\S+) because no resource-based policy allows`)

// grant says which statement a denied call wants, and how its owner adds it.
func grant(message, url string) string {
	m := refusal.FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	caller, action, resource := m[1], m[2], m[3]
	arn, err := lambda.ParseLayerVersionARN(resource)
	if action != "GetLayerVersion" || err != nil {
		if strings.Contains(resource, ":layer:") {
			return fmt.Sprintf("no policy can grant lambda:%s to another account; it grants reading one version: lamina layer show %s:VERSION",
				action, strings.Join(strings.Split(resource, ":")[:7], ":"))
		}
		return ""
	}
	endpoint := ""
	if url != "" {
		endpoint = " --endpoint-url " + url
	}
	return fmt.Sprintf(`the version's policy has no statement such as {"Effect":"Allow","Principal":{"AWS":"arn:%s:iam::%s:root"},"Action":"lambda:GetLayerVersion","Resource":"%s"}`+
		"\nif the version exists, account %s adds it with:\n"+
		"aws lambda add-layer-version-permission%s --region %s --layer-name %s --version-number %d --statement-id account-%s --action lambda:GetLayerVersion --principal %s",
		arn.Partition, caller, resource, arn.Account, endpoint, arn.Region, arn.Name, arn.Version, caller, caller)
}

// fetchLayer says how the zip of a layer version comes to this disk.
func fetchLayer(arn string) string {
	if hint := meant("layer", arn); hint != "" {
		return hint
	}
	return fmt.Sprintf(`get its zip first: curl -o layer.zip "$(aws lambda get-layer-version-by-arn --arn %s --query Content.Location --output text)"`, arn)
}
