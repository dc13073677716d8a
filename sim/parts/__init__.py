"""The parts a terminal is wired to, after their data sheets: they know no driver, and no driver knows them."""
