package main

import (
	"fmt"
	"os"

	"github.com/authentik-go/authentik/internal/contract"
)

func main() {
	facts := new(contract.Facts)
	for _, name := range os.Args[1:] {
		b, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		one, err := parse(b)
		if err != nil {
			fmt.Println(name, err)
			os.Exit(1)
		}
		facts = facts.Record(one)
	}
	fmt.Print(facts.String())
}
