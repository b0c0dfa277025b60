// Command ogen lists a page of the identification stages with the client that
// ogen generates.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/authentik-go/authentik/bench/rivals/ogen"
)

type token struct{}

func (token) Authentik(context.Context, ogen.OperationName) (ogen.Authentik, error) {
	return ogen.Authentik{Token: os.Getenv("AUTHENTIK_TOKEN")}, nil
}

func main() {
	client, err := ogen.NewClient(os.Getenv("AUTHENTIK_URL")+"/api/v3", token{})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.StagesIdentificationList(context.Background(), ogen.StagesIdentificationListParams{})
	if err != nil {
		log.Fatal(err)
	}
	if page, ok := resp.(*ogen.PaginatedIdentificationStageList); ok {
		for _, stage := range page.Results {
			fmt.Println(stage.Name)
		}
	}
}
