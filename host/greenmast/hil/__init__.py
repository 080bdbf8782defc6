"""Hardware in the loop for pytest: a site's board, emulated or real, on an emulated site, as a fixture.

`plugin` is what pytest loads, `bench` what a test gets, `real` a board on a serial port with the site's
devices emulated on its buses, `record` and `plot` what is kept of a run that failed.
"""
