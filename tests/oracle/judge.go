package main

import (
	"context"

	v1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/generic"
	"k8s.io/apiserver/pkg/admission/plugin/policy/matching"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

type decision struct {
	Action     string `json:"action"`
	Evaluation string `json:"evaluation"`
	Message    string `json:"message"`
}

// judge answers as the API server's plugin does for one policy and one binding: the constraints of both, then the
// conditions, then every validation. What its own admission refuses in a policy (a compile error) is told apart.
func judge(asked question) map[string]any {
	var policy v1.ValidatingAdmissionPolicy
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(asked.Policy, &policy, true); err != nil {
		return map[string]any{"unreadable": err.Error()}
	}
	filled(policy.Spec.MatchConstraints)
	if told := compiles(&policy); len(told) > 0 {
		return map[string]any{"compile": told}
	}
	attributes, interfaces, err := request(asked)
	if err != nil {
		return map[string]any{"broken": err.Error()}
	}
	matcher, namespace, err := surroundings(asked)
	if err != nil {
		return map[string]any{"broken": err.Error()}
	}
	matches, resource, kind, err := matcher.DefinitionMatches(attributes, interfaces, validating.NewValidatingAdmissionPolicyAccessor(&policy))
	if err != nil {
		return map[string]any{"broken": err.Error()}
	}
	if matches && asked.Binding != nil {
		var binding v1.ValidatingAdmissionPolicyBinding
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(asked.Binding, &binding, true); err != nil {
			return map[string]any{"unreadable": err.Error()}
		}
		filled(binding.Spec.MatchResources)
		if matches, err = matcher.BindingMatches(attributes, interfaces, validating.NewValidatingAdmissionPolicyBindingAccessor(&binding)); err != nil {
			return map[string]any{"broken": err.Error()}
		}
	}
	if !matches {
		return map[string]any{"matches": false}
	}
	versioned, err := admission.NewVersionedAttributes(attributes, kind, interfaces)
	if err != nil {
		return map[string]any{"broken": err.Error()}
	}
	var params runtime.Object
	if asked.Params != nil {
		params = &unstructured.Unstructured{Object: asked.Params}
	}
	result := validator(&policy).Validate(context.Background(), resource, versioned, params, namespace, celconfig.RuntimeCELCostBudget, nil)
	decisions := []decision{}
	for _, one := range result.Decisions {
		decisions = append(decisions, decision{string(one.Action), string(one.Evaluation), one.Message})
	}
	audit := map[string]string{}
	for _, one := range result.AuditAnnotations {
		if one.Action == validating.AuditAnnotationActionPublish {
			audit[one.Key] = one.Value
		} else if one.Action == validating.AuditAnnotationActionError {
			decisions = append(decisions, decision{"deny", "error", one.Error})
		}
	}
	return map[string]any{"matches": true, "decisions": decisions, "audit": audit}
}

// filled writes out the defaults of the API server, without which its matcher refuses to work.
func filled(resources *v1.MatchResources) {
	if resources == nil {
		return
	}
	if resources.NamespaceSelector == nil {
		resources.NamespaceSelector = &metav1.LabelSelector{}
	}
	if resources.ObjectSelector == nil {
		resources.ObjectSelector = &metav1.LabelSelector{}
	}
	all, equivalent := v1.AllScopes, v1.Equivalent
	if resources.MatchPolicy == nil {
		resources.MatchPolicy = &equivalent
	}
	for _, rules := range [][]v1.NamedRuleWithOperations{resources.ResourceRules, resources.ExcludeResourceRules} {
		for i := range rules {
			if rules[i].Scope == nil {
				rules[i].Scope = &all
			}
		}
	}
}

func request(asked question) (admission.Attributes, admission.ObjectInterfaces, error) {
	var object, old runtime.Object
	var shown *unstructured.Unstructured
	operation := admission.Create
	if asked.Old != nil {
		shown = &unstructured.Unstructured{Object: asked.Old}
		old, operation = shown, admission.Delete
	}
	if asked.Object != nil {
		shown = &unstructured.Unstructured{Object: asked.Object}
		object = shown
		if asked.Old != nil {
			operation = admission.Update
		}
	}
	kind := shown.GroupVersionKind()
	where := schema.GroupVersionResource{Group: kind.Group, Version: kind.Version, Resource: asked.Resource}
	namespace := shown.GetNamespace()
	if kind.Group == "" && kind.Kind == "Namespace" {
		namespace = shown.GetName()
	}
	scheme := runtime.NewScheme()
	return admission.NewAttributesRecord(object, old, kind, namespace, shown.GetName(), where, "", operation, nil, false, &user.DefaultInfo{}),
		admission.NewObjectInterfacesFromScheme(scheme), nil
}

func surroundings(asked question) (generic.PolicyMatcher, *corev1.Namespace, error) {
	index := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	var namespace *corev1.Namespace
	if asked.Namespace != nil {
		namespace = &corev1.Namespace{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(asked.Namespace, namespace); err != nil {
			return nil, nil, err
		}
		if err := index.Add(namespace); err != nil {
			return nil, nil, err
		}
	}
	return generic.NewPolicyMatcher(matching.NewMatcher(listers.NewNamespaceLister(index), nil)), namespace, nil
}

func compiler(policy *v1.ValidatingAdmissionPolicy) (*cel.CompositedCompiler, cel.OptionalVariableDeclarations, error) {
	declared := cel.OptionalVariableDeclarations{HasParams: policy.Spec.ParamKind != nil, HasAuthorizer: true}
	made, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(compatibility))
	if err != nil {
		return nil, declared, err
	}
	for _, one := range policy.Spec.Variables {
		made.CompileAndStoreVariable(&validating.Variable{Name: one.Name, Expression: one.Expression}, declared, environment.NewExpressions)
	}
	return made, declared, nil
}

// compiles gives what the API server would refuse the policy for when it is created.
func compiles(policy *v1.ValidatingAdmissionPolicy) []string {
	made, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(compatibility))
	if err != nil {
		return []string{err.Error()}
	}
	declared := cel.OptionalVariableDeclarations{HasParams: policy.Spec.ParamKind != nil, HasAuthorizer: true}
	quiet := declared
	quiet.HasAuthorizer = false
	told := []string{}
	note := func(result cel.CompilationResult) {
		if result.Error != nil {
			told = append(told, result.Error.Error())
		}
	}
	for _, one := range policy.Spec.Variables {
		note(made.CompileAndStoreVariable(&validating.Variable{Name: one.Name, Expression: one.Expression}, declared, environment.NewExpressions))
	}
	for i := range policy.Spec.MatchConditions {
		note(made.CompileCELExpression((*matchconditions.MatchCondition)(&policy.Spec.MatchConditions[i]), declared, environment.NewExpressions))
	}
	for _, one := range policy.Spec.Validations {
		note(made.CompileCELExpression(&validating.ValidationCondition{Expression: one.Expression}, declared, environment.NewExpressions))
		if one.MessageExpression != "" {
			note(made.CompileCELExpression(&validating.MessageExpressionCondition{MessageExpression: one.MessageExpression}, quiet, environment.NewExpressions))
		}
	}
	for _, one := range policy.Spec.AuditAnnotations {
		note(made.CompileCELExpression(&validating.AuditAnnotationCondition{Key: one.Key, ValueExpression: one.ValueExpression}, declared, environment.NewExpressions))
	}
	return told
}

func validator(policy *v1.ValidatingAdmissionPolicy) validating.Validator {
	made, declared, err := compiler(policy)
	if err != nil {
		return validating.NewValidator(nil, nil, nil, nil, policy.Spec.FailurePolicy, err)
	}
	quiet := declared
	quiet.HasAuthorizer = false
	var matcher matchconditions.Matcher
	if len(policy.Spec.MatchConditions) > 0 {
		conditions := make([]cel.ExpressionAccessor, len(policy.Spec.MatchConditions))
		for i := range policy.Spec.MatchConditions {
			conditions[i] = (*matchconditions.MatchCondition)(&policy.Spec.MatchConditions[i])
		}
		matcher = matchconditions.NewMatcher(made.CompileCondition(conditions, declared, environment.NewExpressions), policy.Spec.FailurePolicy, "policy", "validate", policy.Name)
	}
	validations := make([]cel.ExpressionAccessor, len(policy.Spec.Validations))
	messages := make([]cel.ExpressionAccessor, len(policy.Spec.Validations))
	for i, one := range policy.Spec.Validations {
		validations[i] = &validating.ValidationCondition{Expression: one.Expression, Message: one.Message, Reason: one.Reason}
		if one.MessageExpression != "" {
			messages[i] = &validating.MessageExpressionCondition{MessageExpression: one.MessageExpression}
		}
	}
	audits := make([]cel.ExpressionAccessor, len(policy.Spec.AuditAnnotations))
	for i, one := range policy.Spec.AuditAnnotations {
		audits[i] = &validating.AuditAnnotationCondition{Key: one.Key, ValueExpression: one.ValueExpression}
	}
	return validating.NewValidator(
		made.CompileCondition(validations, declared, environment.NewExpressions),
		matcher,
		made.CompileCondition(audits, declared, environment.NewExpressions),
		made.CompileCondition(messages, quiet, environment.NewExpressions),
		policy.Spec.FailurePolicy, nil)
}
