"""Who is it: scores, galleries, engines and the service that asks them. Nothing here decides who may pass."""
