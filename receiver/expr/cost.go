package expr

import (
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// maxCompared bounds the values within two lists or objects that are compared.
// CEL charges for a comparison by the outermost size only and after it was made,
// and a short expression can build nested lists of astronomic size.
const maxCompared = 10_000

// limits are the program options that bound an evaluation.
func limits() []cel.ProgramOption {
	return []cel.ProgramOption{
		cel.CostLimit(costLimit),
		cel.CostTracking(costs{}),
		cel.CustomDecoratorV2(guardComparisons),
		cel.EvalOptions(cel.OptOptimize),
	}
}

// costs charges for what CEL's own table takes for constant.
type costs struct{}

// CallCost charges comparisons by what they visited and string functions by
// what they read and made.
func (costs) CallCost(function, overload string, args []ref.Val, result ref.Val) *uint64 {
	var cost uint64 = 1
	switch {
	case isComparison(function):
		if !isAggregate(args[0]) && !isAggregate(args[1]) {
			return nil
		}
		for _, arg := range args {
			cost += uint64(count(arg, maxCompared))
		}
	case overload == "" || strings.HasPrefix(overload, overloadPrefix):
		cost += textCost(result)
		for _, arg := range args {
			cost += textCost(arg)
		}
	default:
		return nil
	}
	return &cost
}

// textCost is a unit for ten bytes, as in CEL's own table. That table is keyed
// by overload, which is open where the checker cannot tell the types.
func textCost(value ref.Val) uint64 {
	switch v := value.(type) {
	case types.String:
		return uint64(len(v)) / 10
	case types.Bytes:
		return uint64(len(v)) / 10
	case traits.Lister:
		return uint64(v.Size().(types.Int)) / 10
	}
	return 0
}

func isComparison(function string) bool {
	return function == operators.Equals || function == operators.NotEquals || function == operators.In
}

func isAggregate(value ref.Val) bool {
	switch value.(type) {
	case traits.Lister, traits.Mapper, *types.Optional:
		return true
	}
	return false
}

// guardComparisons has every comparison look at the size of both sides first.
func guardComparisons(step interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := step.(interpreter.InterpretableCall)
	if !ok || !isComparison(call.Function()) {
		return step, nil
	}
	compare := comparisons[call.Function()]
	guarded := func(args ...ref.Val) ref.Val {
		for _, arg := range args {
			if isAggregate(arg) && count(arg, maxCompared) >= maxCompared {
				return fail("a list or object with more than %d values cannot be compared", maxCompared)
			}
		}
		return compare(args[0], args[1])
	}
	return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), guarded), nil
}

var comparisons = map[string]func(left, right ref.Val) ref.Val{
	operators.Equals: types.Equal,
	operators.NotEquals: func(left, right ref.Val) ref.Val {
		equal, ok := types.Equal(left, right).(types.Bool)
		if !ok {
			return types.MaybeNoSuchOverloadErr(left)
		}
		return !equal
	},
	operators.In: func(item, container ref.Val) ref.Val {
		if c, ok := container.(traits.Container); ok {
			return c.Contains(item)
		}
		return types.MaybeNoSuchOverloadErr(container)
	},
}

// count returns how many values a value consists of, or limit as soon as it is
// reached.
func count(value any, limit int) int {
	total := 1
	add := func(part any) bool {
		total += count(part, limit-total)
		return total < limit
	}
	switch v := value.(type) {
	case *types.Optional:
		if v.HasValue() {
			add(v.GetValue())
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True; {
			if !add(v.Get(it.Next())) {
				return limit
			}
		}
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True; {
			if !add(it.Next()) {
				return limit
			}
		}
	}
	return min(total, max(limit, 1))
}
