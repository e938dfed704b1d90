package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	kjson "k8s.io/apimachinery/pkg/util/json"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

// read keeps whole numbers whole, as the API server does when it decodes an object.
func read(line []byte) (question, error) {
	var asked question
	err := kjson.Unmarshal(line, &asked)
	return asked, err
}

func eval(asked question) map[string]any {
	env, err := environment.MustBaseEnvSet(compatibility).Env(environment.NewExpressions)
	if err != nil {
		return map[string]any{"broken": err.Error()}
	}
	var declared []cel.EnvOption
	for _, name := range slices.Sorted(maps.Keys(asked.Bindings)) {
		declared = append(declared, cel.Variable(name, cel.DynType))
	}
	if env, err = env.Extend(declared...); err != nil {
		return map[string]any{"broken": err.Error()}
	}
	tree, issues := env.Compile(asked.Expression)
	if issues.Err() != nil {
		return map[string]any{"compile": issues.Err().Error()}
	}
	program, err := env.Program(tree, cel.CostLimit(celconfig.PerCallLimit), cel.InterruptCheckFrequency(100))
	if err != nil {
		return map[string]any{"compile": err.Error()}
	}
	value, _, err := program.ContextEval(context.Background(), activation(asked.Bindings))
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"type": value.Type().TypeName(), "value": plain(value)}
}

func activation(bindings map[string]any) map[string]any {
	if bindings == nil {
		return map[string]any{}
	}
	return bindings
}

// plain gives what JSON can say of a value; the rest as its printed form.
func plain(value ref.Val) any {
	switch told := value.(type) {
	case types.Bool, types.String, types.Null:
		return told.Value()
	case types.Int, types.Uint:
		return json.Number(fmt.Sprint(told.Value()))
	case types.Double:
		return fmt.Sprint(float64(told))
	case *types.Optional:
		if !told.HasValue() {
			return "optional.none()"
		}
		return plain(told.GetValue())
	case traits.Mapper:
		out := map[string]any{}
		for it := told.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			out[fmt.Sprint(key.Value())] = plain(told.Get(key))
		}
		return out
	case traits.Lister:
		out := []any{}
		for it := told.Iterator(); it.HasNext() == types.True; {
			out = append(out, plain(it.Next()))
		}
		return out
	}
	return fmt.Sprint(value.Value())
}
