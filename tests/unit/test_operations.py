"""The files for operators are well formed and fit each other; nothing here starts a container."""

import importlib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def load(name: str) -> dict[str, Any]:
    yaml: Any = importlib.import_module("yaml")
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "ops" / name).read_text(encoding="utf-8"))
    return loaded


def test_each_service_has_a_pinned_image_and_listens_on_this_machine_only() -> None:
    services = load("compose.yaml")["services"]
    assert {"postgres", "collector", "prometheus", "grafana"} == set(services)
    for name, service in services.items():
        _, _, tag = service["image"].rpartition(":")
        assert tag[:1].isdigit() or tag.startswith("v"), name
        assert [port for port in service["ports"] if not port.startswith("127.0.0.1:")] == []


def test_mounted_files_and_named_volumes_are_there() -> None:
    compose = load("compose.yaml")
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / "ops" / source).is_file()
            else:
                assert source in compose["volumes"]


def test_only_postgres_starts_unless_telemetry_is_asked_for() -> None:
    services = load("compose.yaml")["services"]
    assert [name for name, service in services.items() if "profiles" not in service] == ["postgres"]


def test_every_pipeline_names_parts_that_are_defined() -> None:
    collector = load("otel-collector.yaml")
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(collector[kind])


def test_prometheus_reads_where_the_collector_shows() -> None:
    (job,) = load("prometheus.yaml")["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    host, _, port = target.partition(":")
    assert host in load("compose.yaml")["services"]
    assert load("otel-collector.yaml")["exporters"]["prometheus"]["endpoint"].endswith(f":{port}")


def test_the_collector_listens_where_the_configuration_sends() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 'otlp_endpoint = "http://127.0.0.1:4318"' in readme
    assert "127.0.0.1:4318:4318" in load("compose.yaml")["services"]["collector"]["ports"]
