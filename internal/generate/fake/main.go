// Fake writes authentiktest/table.go, what the fake authentik knows of the API:
// run it in that folder, as go generate does.
package main

import (
	"log"
	"os"

	"github.com/authentik-go/authentik/internal/contract"
)

func main() {
	facts, err := contract.ReadFacts()
	if err != nil {
		log.Fatal(err)
	}
	text, err := source(facts)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("table.go", text, 0o600); err != nil {
		log.Fatal(err)
	}
}
