"""Pure nouns and rules: what was shown, what it proves, and how sure that makes us."""
