package execenv_test

import (
	"testing"
)

const whereCode = `
import os, urllib.request

def handler(event, context):
    url = "http://" + os.environ["AWS_LAMBDA_METADATA_API"] + "/2026-01-15/metadata/execution-environment"
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + os.environ["AWS_LAMBDA_METADATA_TOKEN"]})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()
`

// TestMetadata: a function finds out where it runs, whether its process was booted ahead or not.
func TestMetadata(t *testing.T) {
	b, revision, wait := newSpareBench(t)
	for region, want := range map[string]string{"us-east-1": "use1-az1", "ap-northeast-2": "apne2-az1", "us-gov-west-1": "usgw1-az1"} {
		for range 2 {
			rev := revision(map[string]string{"app.py": whereCode})
			rev.Key.Region = region
			check(t, region, string(b.invoke(rev, "a", "1", true).Payload), `"{\"AvailabilityZoneID\":\"`+want+`\"}"`)
			wait()
		}
	}
	if starts := b.pool.Starts(); starts.Spare == 0 || starts.Plain == 0 {
		t.Errorf("only one way was tried: %+v", starts)
	}
}
