// The cluster's own evaluator behind a pipe: one JSON question a line, one JSON answer a line.
//
// Tests ask it what a Kubernetes API server would say, and hold Causeway's answers against that. `eval` compiles and
// evaluates one expression in the environment that admission policies get; `judge` takes one policy, its binding, an
// object and what belongs to it, and says whether they match and what each validation decides.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/util/version"
)

// compatibility is the oldest cluster whose functions a policy may use: its environment is the one that is asked.
var compatibility = version.MajorMinor(1, 34)

type question struct {
	Op         string         `json:"op"`
	Expression string         `json:"expression"`
	Bindings   map[string]any `json:"bindings"`
	Policy     map[string]any `json:"policy"`
	Binding    map[string]any `json:"binding"`
	Object     map[string]any `json:"object"`
	Old        map[string]any `json:"old"`
	Params     map[string]any `json:"params"`
	Namespace  map[string]any `json:"namespace"`
	Resource   string         `json:"resource"`
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 64<<20)
	out := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		answer, err := json.Marshal(safely(lines.Bytes()))
		if err != nil {
			answer, _ = json.Marshal(map[string]any{"broken": err.Error()})
		}
		if _, err := out.Write(append(answer, '\n')); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return lines.Err()
}

// safely turns a panic of the libraries into an answer, so that one bad question does not end the run.
func safely(line []byte) (answer map[string]any) {
	defer func() {
		if told := recover(); told != nil {
			answer = map[string]any{"broken": fmt.Sprint(told)}
		}
	}()
	asked, err := read(line)
	if err != nil {
		return map[string]any{"broken": err.Error()}
	}
	switch asked.Op {
	case "eval":
		return eval(asked)
	case "judge":
		return judge(asked)
	}
	return map[string]any{"broken": "unknown op " + asked.Op}
}
