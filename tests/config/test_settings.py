from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w

from config.settings import FILE_VARIABLE, Settings, WrongSettings, load, structure

if TYPE_CHECKING:
    from pathlib import Path


def changed(raw: dict[str, Any], place: str, value: object) -> dict[str, Any]:
    """Set what a dotted place names; None takes it away."""
    *way, last = [int(each) if each.isdigit() else each for each in place.split(".")]
    table: Any = raw
    for step in way:
        table = table.setdefault(step, {}) if isinstance(table, dict) else table[step]
    if value is None:
        del table[last]
    else:
        table[last] = value
    return raw


@pytest.fixture
def file(tmp_path: Path, raw: dict[str, Any]) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(tomli_w.dumps(raw))
    return path


class TestRight:
    def test_a_file_is_read_with_defaults_for_what_it_leaves_out(self, file: Path) -> None:
        settings = load(file, environment={})
        assert settings.deployment == "demo"
        assert settings.http.host == "127.0.0.1"
        assert settings.evm_chains[0].confirmations is None
        assert settings.rates[0].value == Decimal("0.9998")
        assert settings.keys.hot_wallet_file is None

    def test_the_environment_names_the_file(self, file: Path) -> None:
        environment = {FILE_VARIABLE: str(file)}
        assert load(environment=environment) == load(file, environment={})

    def test_secrets_are_not_shown(self, raw: dict[str, Any]) -> None:
        shown = repr(structure(raw))
        assert "c" * 32 not in shown
        assert raw["database"]["url"] not in shown


class TestEnvironment:
    def test_it_takes_the_place_of_the_file(self, file: Path) -> None:
        environment = {
            "SWITCHYARD_DATABASE__URL": "postgresql://elsewhere/books",
            "SWITCHYARD_DATABASE__CONNECTIONS_MAX": "3",
            "SWITCHYARD_WORKER__WATCH_EVERY_SECONDS": "0.25",
            "SWITCHYARD_KEYS__HOT_WALLET_FILE": "keys/hot",
        }
        settings = load(file, environment=environment)
        assert settings.database.url == "postgresql://elsewhere/books"
        assert settings.database.connections_max == 3
        assert settings.worker.watch_every_seconds == 0.25
        assert str(settings.keys.hot_wallet_file) == "keys/hot"

    def test_other_variables_are_not_ours(self, file: Path) -> None:
        environment = {"DATABASE__URL": "x", "SWITCHYARD_TEST_DSN": "y", "HTTP__PORT": "1"}
        assert load(file, environment=environment) == load(file, environment={})

    @pytest.mark.parametrize(
        ("name", "value", "named"),
        [
            ("SWITCHYARD_HTTP__PORT", "eighty", "settings.http.port"),
            ("SWITCHYARD_HTTP__PROT", "80", "settings.http"),
            ("SWITCHYARD_WORKER__WATCH_EVERY_SECONDS", "soon", "watch_every_seconds"),
        ],
    )
    def test_what_is_wrong_in_it_is_named(
        self, file: Path, name: str, value: str, named: str
    ) -> None:
        with pytest.raises(WrongSettings) as refused:
            load(file, environment={name: value})
        assert named in str(refused.value)

    @pytest.mark.parametrize(
        "name", ["SWITCHYARD_ASSETS__ID", "SWITCHYARD_CHAINS__RPC_URL", "SWITCHYARD_DEPLOYMENT__X"]
    )
    def test_what_is_no_table_cannot_be_overridden_by_key(self, file: Path, name: str) -> None:
        with pytest.raises(WrongSettings) as refused:
            load(file, environment={name: "x"})
        assert name in str(refused.value)


class TestWrong:
    @pytest.mark.parametrize(
        ("place", "value", "named"),
        [
            ("database.url", None, "settings.database.url"),
            ("database", None, "settings.database"),
            ("http.cursor_key", "short", "cursor_key"),
            ("http.port", 65536, "port"),
            ("http.port", -1, "port"),
            ("http.port", 80.5, "settings.http.port"),
            ("http.port", True, "settings.http.port"),
            ("http.host", 1, "settings.http.host"),
            ("http.prot", 80, "prot"),
            ("database.connections_max", 0, "connections_max"),
            ("database.statement_timeout_seconds", 0, "statement_timeout_seconds"),
            ("database.statement_timeout_seconds", "long", "statement_timeout_seconds"),
            ("database.statement_timeout_seconds", float("nan"), "statement_timeout_seconds"),
            ("worker.threads", 0, "threads"),
            ("worker.watch_every_seconds", True, "watch_every_seconds"),
            ("webhooks.allow_private_addresses", "no", "allow_private_addresses"),
            ("webhooks.allow_private_addresses", 1, "allow_private_addresses"),
            ("deployment", "elsewhere", "deployment"),
            ("asset", [], "asset"),
            ("assets.0.decimals", 37, "decimals"),
            ("assets.0.decimals", "two", "settings.assets"),
            ("assets.1.id", None, "id"),
            ("chains.0.id", "bitcoin", "id"),
            ("chains.0.first_block", -1, "first_block"),
            ("chains.0.fee_cap_gwei", 0, "fee_cap_gwei"),
            ("chains.0.rpc_url", "http://node.example", "rpc_url must use https"),
            ("chains.0.rpc_url", "http://127.0.0.1.example", "rpc_url must use https"),
            ("chains.0.rpc_url", "http://localhost@node.example", "rpc_url must use https"),
            ("chains.0.more_rpc_urls", ["http://node.example"], "more_rpc_urls must use https"),
            ("chains.0.quorum", 2, "quorum of eip155"),
            ("chains.0.quorum", 0, "quorum must be more than 0"),
            ("rates.0.rate", "0", "rate of one"),
            ("rates.0.rate", "-1", "rate of one"),
            ("rates.0.rate", "NaN", "rate of one"),
            ("rates.0.rate", "Infinity", "rate of one"),
            ("rates.0.rate", "a lot", "rate of one"),
            ("rates.0.rate", 1.0, "settings.rates"),
        ],
    )
    def test_a_wrong_setting_is_named(
        self, raw: dict[str, Any], place: str, value: object, named: str
    ) -> None:
        with pytest.raises(WrongSettings) as refused:
            structure(changed(raw, place, value))
        assert [line for line in refused.value.lines if named in line]

    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1:8545", "http://localhost/rpc", "http://[::1]:1", "https://n.example"],
    )
    def test_a_node_is_on_this_machine_or_behind_tls(self, raw: dict[str, Any], url: str) -> None:
        assert structure(changed(raw, "chains.0.rpc_url", url)).evm_chains[0].rpc_url == url

    def test_every_wrong_setting_has_a_line_of_its_own(self, raw: dict[str, Any]) -> None:
        changed(raw, "http.port", 65536)
        changed(raw, "database.url", None)
        changed(raw, "rates.2.rate", "0")
        with pytest.raises(WrongSettings) as refused:
            structure(raw)
        assert len(refused.value.lines) == 3

    def test_without_a_file_there_is_nothing_to_read(self, tmp_path: Path) -> None:
        with pytest.raises(WrongSettings, match=FILE_VARIABLE):
            load(environment={})
        with pytest.raises(WrongSettings, match="No such file"):
            load(tmp_path / "none.toml", environment={})

    def test_a_file_that_is_no_toml_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "settings.toml"
        file.write_text("port: 80")
        with pytest.raises(WrongSettings, match=r"settings\.toml"):
            load(file, environment={})

    def test_a_table_that_is_no_table_is_refused(self, raw: dict[str, Any]) -> None:
        with pytest.raises(WrongSettings, match="database"):
            structure(raw | {"database": "postgresql:///books"})


def test_settings_cannot_be_changed(raw: dict[str, Any]) -> None:
    settings = structure(raw)
    with pytest.raises(AttributeError):
        settings.deployment = "testing"  # type: ignore[misc]  # This is the point.
    assert isinstance(settings, Settings)
