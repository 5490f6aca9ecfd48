"""Change events over Salesforce's Pub/Sub API (gRPC, Avro); needs the extra `salesforce`."""
