"""What the DNS says of a domain: asked at its own servers and at resolvers, judged, and judged over time."""
