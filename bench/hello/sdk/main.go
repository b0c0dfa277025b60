// Command sdk lists the identification stages with the SDK.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/authentik-go/authentik"
)

func main() {
	client, err := authentik.NewClientFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	for stage, err := range client.StagesIdentification.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(stage.Name)
	}
}
