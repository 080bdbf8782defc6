"""Topics are built from checked names only."""

from greenmast_protocol import topics


def _raises(call, *args):
    try:
        call(*args)
    except ValueError:
        return True
    return False


def test_every_kind_builds_and_parses_back():
    for kind in topics.KINDS:
        client = "c1" if kind in (topics.REQ, topics.RSP) else ""
        assert topics.parse(topics.build("site-1", kind, client)) == ("site-1", kind, client)


def test_bad_names_build_no_topic():
    assert _raises(topics.build, "Bad Site", topics.STATE)
    assert _raises(topics.build, "site", "nothing")
    assert _raises(topics.build, "site", topics.REQ)
    assert _raises(topics.build, "site", topics.REQ, "a/b")
    assert _raises(topics.build, "site", topics.TELE, "client")


def test_requests_and_answers_are_never_retained():
    assert topics.REQ not in topics.RETAINED
    assert topics.RSP not in topics.RETAINED


def test_reference_sites_have_valid_ids():
    for site in ("india-rural", "japan-urban", "japan-disaster", "off-grid"):
        assert topics.site_problem(site) == ""
