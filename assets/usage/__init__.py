"""What use and failure come to in money: credits, figures, the books held to account, payments."""
