"""China's places: lists of codes through the years, names, addresses, and distances between points."""
