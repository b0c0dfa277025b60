// Package rivals makes the clients that the SDK is measured against.
package rivals

//go:generate go tool ogen --clean --config ogen.yml --package ogen --target ogen ../openapi.yml
//go:generate mkdir -p oapi
//go:generate go tool oapi-codegen -generate types,client -package oapi -o oapi/oapi.go ../openapi.yml
