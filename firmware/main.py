# composition root
