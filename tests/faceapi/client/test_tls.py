"""The way to the face cloud over TLS, on real sockets: who is believed to be there."""

import socket

from cloud_bench import cloud_at
from cloud_calls import FOUND, JPEG, code_of, failure, with_token
from cloud_stub import CloudStub
from tls_certificate import EXPIRED, certificate, needs_openssl

from edged.errors import NeedsOperator


@needs_openssl
def test_a_certificate_of_the_named_authority_is_accepted(tmp_path):
    context, cert = certificate(tmp_path, "IP:127.0.0.1")
    with CloudStub(context) as stub:
        stub.replies(FOUND)
        cloud = cloud_at(stub, ca_file=cert)
        for _ in range(2):
            cloud.search(JPEG, ["g"])
        cloud.close()
        assert len(stub.calls) == 2
        assert stub.connections == 1


@needs_openssl
def test_an_unknown_certificate_is_for_the_operator_and_nothing_is_sent(tmp_path):
    context, _ = certificate(tmp_path, "IP:127.0.0.1")
    with CloudStub(context) as stub:
        error = failure(cloud_at(stub))
        assert (type(error), error.code) == (NeedsOperator, "cloud_certificate")
        assert stub.asked == []


@needs_openssl
def test_a_certificate_for_another_name_is_for_the_operator(tmp_path):
    context, cert = certificate(tmp_path, "DNS:other.example")
    with CloudStub(context) as stub:
        error = failure(cloud_at(stub, ca_file=cert))
        assert (type(error), error.code) == (NeedsOperator, "cloud_certificate")
        assert stub.asked == []


@needs_openssl
def test_a_certificate_that_is_over_names_the_clock(tmp_path):
    context, cert = certificate(tmp_path, "IP:127.0.0.1", EXPIRED)
    with CloudStub(context) as stub:
        error = failure(cloud_at(stub, ca_file=cert))
        assert error.code == "cloud_certificate"
        assert "clock" in error.hint


def test_a_server_without_tls_is_told_apart(stub):
    error = failure(cloud_at(stub, url=stub.url.replace("http:", "https:")))
    assert (type(error), error.code) == (NeedsOperator, "cloud_tls")


def test_a_tls_greeting_that_stalls_ends_at_the_time_out(stub):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        assert code_of(cloud_at(stub, url=url, connect_timeout_s=0.2)) == "cloud_timeout"


@needs_openssl
def test_over_tls_a_server_that_drips_does_not_hold_the_worker(tmp_path):
    context, cert = certificate(tmp_path, "IP:127.0.0.1")
    with CloudStub(context) as stub:
        stub.replies(FOUND)
        cloud = with_token(stub, ca_file=cert, read_timeout_s=0.3)

        def drip(sock):
            while not stub.released.wait(0.01):
                sock.sendall(b"H")

        stub.replies(drip)
        assert code_of(cloud) == "cloud_timeout"
