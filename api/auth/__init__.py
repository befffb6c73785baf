"""Who asks: passwords, access and refresh tokens, and what each route demands."""
