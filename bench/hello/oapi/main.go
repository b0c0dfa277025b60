// Command oapi lists a page of the identification stages with the client that
// oapi-codegen generates.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/authentik-go/authentik/bench/rivals/oapi"
)

func main() {
	client, err := oapi.NewClientWithResponses(os.Getenv("AUTHENTIK_URL") + "/api/v3")
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.StagesIdentificationListWithResponse(context.Background(), nil)
	if err != nil || resp.JSON200 == nil {
		log.Fatal(err, resp)
	}
	for _, stage := range resp.JSON200.Results {
		fmt.Println(stage.Name)
	}
}
