"""The port of the pages: which one, and what is said when there is none."""

import pytest

from host.errors import InvalidValue
from host.web.listen import listen


@pytest.mark.parametrize("host", ["nonsense.invalid", "203.0.113.9", "\u4e00" * 80])
def test_an_address_of_another_machine_is_named_with_what_to_write_instead(host: str) -> None:
    with pytest.raises(InvalidValue, match=r"127\.0\.0\.1"):
        listen(host, 0)
