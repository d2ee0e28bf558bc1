"""uv looks for packages where pip would."""

import install


def test_pip_settings_are_handed_to_uv() -> None:
    shown = "\n".join(
        [
            "global.cert='/etc/ssl/company.pem'",
            "global.extra-index-url='file:///srv/a\\nfile:///srv/b'",
            ":env:.find-links='/opt/one /opt/two'",
            "global.timeout='60'",
        ]
    )
    found = install.uv_environment(shown, {"PATH": "/bin"})
    assert found["SSL_CERT_FILE"] == "/etc/ssl/company.pem"
    assert found["UV_INDEX"] == "file:///srv/a file:///srv/b"
    assert found["UV_FIND_LINKS"] == "/opt/one,/opt/two"
    assert found["PATH"] == "/bin"
    assert "UV_DEFAULT_INDEX" not in found


def test_what_the_user_set_for_uv_goes_first() -> None:
    chosen = {"UV_INDEX": "file:///srv/mine"}
    assert (
        install.uv_environment("global.extra-index-url='file:///srv/a'", chosen)["UV_INDEX"]
        == "file:///srv/mine"
    )
