"""The operator's page. Shows what `queries` returns; decides nothing, freshness neither."""
