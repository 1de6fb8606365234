// Package outbox tells other systems what happened: webhooks signed as Standard
// Webhooks says (standardwebhooks.com), and a Kafka topic. It also reads complaints
// from Kafka. What leaves carries ids and no personal data.
package outbox
