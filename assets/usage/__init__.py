"""What use and failure come to in money: credits, the business' figures, and the books' check."""
