"""Sizes that no report has; a file beyond them is refused before it fills the memory.

The longest of 44 real reports has 421 pages, the fullest page of 5,900 has 6,000 characters. Compressed, real
text files keep 23 to 43 % of their bytes.
"""

MOST_PAGES = 5_000
MOST_CHARACTERS_PER_PAGE = 200_000
MOST_CHARACTERS = 20_000_000
MOST_CHARACTERS_OF_TITLE = 1_000
# A long text that repeats a few words may hold a million hits, each of which is judged.
LONG_TEXT = 200_000
LEAST_COMPRESSED_SHARE = 0.02
