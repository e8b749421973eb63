package control

import (
	"encoding/json"
	"maps"
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
	Condition *conditionJSON `json:",omitempty"`
}

// conditionJSON is what must be so, by operator, in AWS's order.
type conditionJSON struct {
	StringEquals map[string]string `json:",omitempty"`
	ArnLike      map[string]string `json:",omitempty"`
	Bool         map[string]string `json:",omitempty"`
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
	c := conditionJSON{
		StringEquals: nonEmpty(map[string]string{
			"aws:PrincipalOrgID": st.Organisation, "AWS:SourceAccount": st.SourceAccount,
			"lambda:EventSourceToken": st.EventSourceToken, "lambda:FunctionUrlAuthType": st.URLAuthType,
		}),
		ArnLike: nonEmpty(map[string]string{"AWS:SourceArn": st.SourceARN}),
	}
	if st.ViaURL != nil {
		c.Bool = map[string]string{"lambda:InvokedViaFunctionUrl": strconv.FormatBool(*st.ViaURL)}
	}
	if c.StringEquals != nil || c.ArnLike != nil || c.Bool != nil {
		out.Condition = &c
	}
	return out
}

// nonEmpty keeps the values that are not empty; nil when there are none.
func nonEmpty(values map[string]string) map[string]string {
	maps.DeleteFunc(values, func(_, v string) bool { return v == "" })
	if len(values) == 0 {
		return nil
	}
	return values
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
