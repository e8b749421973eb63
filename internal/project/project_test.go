package project_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/laminadev/lamina/internal/project"
)

// write makes a folder of files; an exclamation mark at the end of a name makes the file executable.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		name, executable := strings.CutSuffix(name, "!")
		path := filepath.Join(dir, name)
		mode := os.FileMode(0o644)
		if executable {
			mode = 0o755
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	pythonHandler = "import os\n\ndef handler(event, context):\n    return 1\n"
	nodeHandler   = "export const handler = async (event) => 1;\n"
)

func TestConventions(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		given project.Given
		want  project.Function // Code and Layers relative to the folder
	}{
		"app.py": {files: map[string]string{"app.py": pythonHandler},
			want: project.Function{Handler: "app.handler", Runtime: "python"}},
		"lambda_handler": {files: map[string]string{"lambda_function.py": "def lambda_handler(e, c): 0", ".python-version": "3.12.4\n"},
			want: project.Function{Handler: "lambda_function.lambda_handler", Runtime: "python3.12"}},
		"a name, not a call": {files: map[string]string{"app.py": "handler(1)\n", "main.py": "handler = make()\n"},
			want: project.Function{Handler: "main.handler", Runtime: "python"}},
		"index.mjs": {files: map[string]string{"index.mjs": nodeHandler, "package.json": `{"engines":{"node":"22.x"}}`},
			want: project.Function{Handler: "index.handler", Runtime: "nodejs22.x"}},
		"exports": {files: map[string]string{"app.js": "'use strict'\nexports.lambdaHandler = async () => 1", "package.json": `{"engines":{"node":">=18 <23"}}`},
			want: project.Function{Handler: "app.lambdaHandler", Runtime: "nodejs"}},
		"export list": {files: map[string]string{"index.mjs": "const handler = 1\nexport { other, handler }"},
			want: project.Function{Handler: "index.handler", Runtime: "nodejs"}},
		"nvmrc": {files: map[string]string{"index.mjs": nodeHandler, ".nvmrc": "v20\n"},
			want: project.Function{Handler: "index.handler", Runtime: "nodejs20.x"}},
		"bootstrap": {files: map[string]string{"bootstrap!": "#!/bin/sh\n", "app.py": pythonHandler},
			want: project.Function{Handler: "bootstrap", Runtime: "provided.al2023"}},
		"bootstrap that cannot run": {files: map[string]string{"bootstrap": "", "app.py": pythonHandler},
			want: project.Function{Handler: "app.handler", Runtime: "python"}},
		"given handler": {files: map[string]string{"src/deep.py": ""}, given: project.Given{Handler: "src.deep.go"},
			want: project.Function{Handler: "src.deep.go", Runtime: "python"}},
		"given handler and files": {files: map[string]string{"requirements.txt": ""}, given: project.Given{Handler: "made.later"},
			want: project.Function{Handler: "made.later", Runtime: "python"}},
		"given runtime": {files: map[string]string{"app.py": pythonHandler, "index.mjs": nodeHandler}, given: project.Given{Runtime: "nodejs20.x"},
			want: project.Function{Handler: "index.handler", Runtime: "nodejs20.x"}},
		"given layers": {files: map[string]string{"app.py": pythonHandler, "layer/python/a.py": "", "more/python/b.py": ""}, given: project.Given{Layers: []string{"more"}},
			want: project.Function{Handler: "app.handler", Runtime: "python", Layers: []string{"more"}}},
		"layers": {files: map[string]string{"app.py": pythonHandler, "layer/x": "", "layer.zip": "", "layers/b/y": "", "layers/a.zip": "", "layers/notes.txt": ""},
			want: project.Function{Handler: "app.handler", Runtime: "python", Layers: []string{"layer", "layer.zip", "layers/a.zip", "layers/b"}}},
		"layers is one": {files: map[string]string{"app.py": pythonHandler, "layers/python/y.py": ""},
			want: project.Function{Handler: "app.handler", Runtime: "python", Layers: []string{"layers"}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, tt.files)
			for i, l := range tt.given.Layers {
				tt.given.Layers[i] = filepath.Join(dir, l)
			}
			got, err := project.Look(dir, tt.given)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, dir, got, tt.want)
		})
	}
}

func compare(t *testing.T, dir string, got *project.Function, want project.Function) {
	t.Helper()
	for i := range got.Layers {
		got.Layers[i], _ = filepath.Rel(dir, got.Layers[i])
	}
	got.Code, _ = filepath.Rel(dir, got.Code)
	if want.Code == "" {
		want.Code = "."
	}
	ignored := []string{"Assumed"}
	if want.Name == "" {
		ignored = append(ignored, "Name")
	}
	if diff := cmp.Diff(*got, want, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(project.Function{}, ignored...)); diff != "" {
		t.Errorf("got(-) want(+):\n%s", diff)
	}
}

const template = `
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: test}
  Secret: {Type: String}
Globals:
  Function:
    Runtime: python3.12
    Timeout: 20
    Layers: [!Ref Base]
    Environment:
      Variables: {STAGE: !Ref Stage, BOTH: all}
Resources:
  Base:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: base}
  Libs:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.12}
    Properties: {ContentUri: ./libs}
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders/
      Handler: app.handler
      MemorySize: 512
      EphemeralStorage: {Size: 1024}
      Layers:
        - !Ref Libs
      Environment:
        Variables:
          BOTH: own
          TABLE: !Ref Table
          SECRET: !Ref Secret
          URL: !Sub "https://${AWS::Region}/${Stage}/${!literal}"
          LONG: {"Fn::Sub": "${Stage}"}
          GONE: !Sub "${Table.Arn}"
  Table: {Type: AWS::DynamoDB::Table}
  Named:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: !Sub "${Stage}-named", CodeUri: named, Runtime: nodejs22.x, Layers: [!Ref Libs]}
  Remote:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: orders, Handler: app.handler, Layers: ["arn:aws:lambda:us-east-1:1:layer:x:1"]}
  Bucket:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: s3://bucket/key, Handler: app.handler}
  Image:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: "x", Handler: index.handler}
`

func files() map[string]string {
	return map[string]string{"template.yaml": template, "orders/app.py": pythonHandler, "named/index.mjs": nodeHandler, "base/python/b.py": "", "libs/requirements.txt": ""}
}

func TestTemplate(t *testing.T) {
	dir := write(t, files())
	got, err := project.Look(dir, project.Given{Function: "Orders"})
	if err != nil {
		t.Fatal(err)
	}
	assumed := strings.Join(got.Assumed, "\n")
	for _, want := range []string{"no variable SECRET: ", "no variable TABLE: ", "no variable GONE: ", "layer Libs as it lies in its folder: the template builds it with python3.12 (sam build)", "layer Base"} {
		if !strings.Contains(assumed, want) {
			t.Errorf("it does not say %q: %s", want, assumed)
		}
	}
	compare(t, dir, got, project.Function{
		Name: "Orders", Code: "orders", Handler: "app.handler", Runtime: "python3.12", Layers: []string{"base", "libs"}, Timeout: 20, Memory: 512, Storage: 1024,
		Env: map[string]string{"STAGE": "test", "BOTH": "own", "URL": "https://us-east-1/test/${literal}", "LONG": "test"},
	})
}

func TestTemplateByFunctionName(t *testing.T) {
	dir := write(t, files())
	got, err := project.Look(dir, project.Given{Function: "Named", Runtime: "nodejs20.x"})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, dir, got, project.Function{
		Name: "test-named", Code: "named", Handler: "index.handler", Runtime: "nodejs20.x", Layers: []string{"base", "libs"}, Timeout: 20,
		Env: map[string]string{"STAGE": "test", "BOTH": "all"},
	})
}

func TestBuiltTemplateIsPreferred(t *testing.T) {
	f := files()
	f[".aws-sam/build/template.yaml"] = "Resources:\n  Libs:\n    Type: AWS::Serverless::LayerVersion\n    Metadata: {BuildMethod: python3.12}\n    Properties: {ContentUri: Libs}\n" +
		"  Orders:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: Orders, Handler: app.handler, Runtime: python3.12, Layers: [Ref: Libs]}\n"
	f[".aws-sam/build/Orders/app.py"], f[".aws-sam/build/Libs/python/x.py"] = pythonHandler, ""
	dir := write(t, f)
	got, err := project.Look(dir, project.Given{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.Assumed, []string{"function Orders of .aws-sam/build/template.yaml", "layer Libs"}); diff != "" {
		t.Errorf("got(-) want(+):\n%s", diff)
	}
	compare(t, dir, got, project.Function{Name: "Orders", Code: ".aws-sam/build/Orders", Handler: "app.handler", Runtime: "python3.12", Layers: []string{".aws-sam/build/Libs"}})
}

func TestGivenHandlerLeavesTemplateAlone(t *testing.T) {
	f := files()
	f["app.py"] = pythonHandler
	dir := write(t, f)
	got, err := project.Look(dir, project.Given{Handler: "app.handler", Runtime: "python3.11"})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, dir, got, project.Function{Handler: "app.handler", Runtime: "python3.11"})
}

func TestRefuses(t *testing.T) {
	dir := write(t, files())
	for name, tt := range map[string]struct {
		path  string
		given project.Given
		want  string
	}{
		"several functions": {dir, project.Given{}, "template.yaml has 6 functions"},
		"no such function":  {dir, project.Given{Function: "Nobody"}, `has no function "Nobody"`},
		"no template":       {write(t, nil), project.Given{Function: "F"}, "has no template.yaml with functions"},
		"remote layer":      {dir, project.Given{Function: "Remote"}, `layer "arn:aws:lambda:us-east-1:1:layer:x:1" of template.yaml is not on this disk`},
		"code in a bucket":  {dir, project.Given{Function: "Bucket"}, "content of Bucket in template.yaml is not on this disk"},
		"image":             {dir, project.Given{Function: "Image"}, "container image"},
		"inline":            {dir, project.Given{Function: "Inline"}, "has its code in the template"},
		"no handler":        {write(t, map[string]string{"requirements.txt": ""}), project.Given{}, "cannot tell the handler"},
		"nothing":           {write(t, nil), project.Given{}, "cannot tell the runtime"},
		"a layer":           {write(t, map[string]string{"nodejs/node_modules/x/index.js": ""}), project.Given{}, "looks like a layer"},
		"no folder":         {"/nowhere", project.Given{}, "cannot read the function"},
		"not YAML":          {write(t, map[string]string{"template.yml": "a: [", "app.py": pythonHandler}), project.Given{}, "cannot read template.yml"},
		"a zip alone":       {filepath.Join(write(t, map[string]string{"f.zip": ""}), "f.zip"), project.Given{Runtime: "python3.12"}, "cannot tell the handler"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := project.Look(tt.path, tt.given)
			var refused *project.Error
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
