package control

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

const noPolicy = "No policy is associated with the given resource."

// statementJSON is a statement as AWS writes it, members in its order.
type statementJSON struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

type policyJSON struct {
	Version   string
	ID        string `json:"Id"`
	Statement []statementJSON
}

// printStatement gives the text of a statement about a resource.
func printStatement(st catalog.Statement, partition, resource string) string {
	return policyText(statementOf(st, partition, resource))
}

// printPolicy gives the text of a policy of a resource.
func printPolicy(list []catalog.Statement, partition, resource string) string {
	p := policyJSON{Version: "2012-10-17", ID: "default", Statement: []statementJSON{}}
	for _, st := range list {
		p.Statement = append(p.Statement, statementOf(st, partition, resource))
	}
	return policyText(p)
}

func policyText(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(v) // cannot fail on texts
	return strings.TrimSuffix(b.String(), "\n")
}

func statementOf(st catalog.Statement, partition, resource string) statementJSON {
	out := statementJSON{Sid: st.ID, Effect: "Allow", Principal: principal(st.Principal, partition), Action: st.Action, Resource: resource}
	add := func(operator, key, value string) {
		if value == "" {
			return
		}
		if out.Condition == nil {
			out.Condition = map[string]map[string]string{}
		}
		if out.Condition[operator] == nil {
			out.Condition[operator] = map[string]string{}
		}
		out.Condition[operator][key] = value
	}
	add("StringEquals", "aws:PrincipalOrgID", st.Organisation)
	add("StringEquals", "AWS:SourceAccount", st.SourceAccount)
	add("StringEquals", "lambda:EventSourceToken", st.EventSourceToken)
	add("StringEquals", "lambda:FunctionUrlAuthType", st.URLAuthType)
	add("ArnLike", "AWS:SourceArn", st.SourceARN)
	if st.ViaURL != nil {
		add("Bool", "lambda:InvokedViaFunctionUrl", strconv.FormatBool(*st.ViaURL))
	}
	return out
}

var (
	accountID   = regexp.MustCompile(`^\d{12}$`)
	identityARN = regexp.MustCompile(`^arn:aws[a-zA-Z-]*:(iam|sts)::\d{12}:.+$`)
	serviceName = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com)$`)
)

// principal is who a statement is about, as AWS writes it; nil when it can be nobody.
func principal(p, partition string) any {
	switch {
	case p == "*":
		return p
	case accountID.MatchString(p):
		return map[string]string{"AWS": "arn:" + partition + ":iam::" + p + ":root"}
	case identityARN.MatchString(p):
		return map[string]string{"AWS": p}
	case serviceName.MatchString(p):
		return map[string]string{"Service": p}
	}
	return nil
}

// addStatement adds a statement to a list, which keeps the order in which they came.
func addStatement(list []catalog.Statement, st catalog.Statement, partition, resource string) ([]catalog.Statement, error) {
	if slices.ContainsFunc(list, func(x catalog.Statement) bool { return x.ID == st.ID }) {
		return nil, lambda.Errorf(lambda.Conflict, "The statement id (%s) provided already exists. Please provide a new statement id, "+
			"or remove the existing statement.", st.ID)
	}
	list = append(slices.Clone(list), st)
	if n := len(printPolicy(list, partition, resource)); n > lambda.MaxPolicySize {
		return nil, lambda.Errorf(lambda.PolicyTooLong, "The final policy size (%d) is bigger than the limit (%d).", n, lambda.MaxPolicySize)
	}
	return list, nil
}

func removeStatement(list []catalog.Statement, id string) ([]catalog.Statement, error) {
	i := slices.IndexFunc(list, func(x catalog.Statement) bool { return x.ID == id })
	if i < 0 {
		return nil, lambda.Errorf(lambda.NotFound, "Statement %s is not found in resource policy.", id)
	}
	return slices.Delete(slices.Clone(list), i, i+1), nil
}
