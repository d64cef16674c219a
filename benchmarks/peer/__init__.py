"""The same chatbot and pipeline written with the AWS CDK, in an environment of its own."""
