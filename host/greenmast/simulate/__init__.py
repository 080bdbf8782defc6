"""Site-years: the shipped controller on the plant, second by second, for as long as one likes."""
