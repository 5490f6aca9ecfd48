"""A throw-away certificate authority, for clients that insist on https."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(days=30)
EARLIER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """What a server needs to speak TLS, and the file that clients need to trust it.

    Attributes:
        folder: holds the files, and takes them away when it is cleaned up.
        ca_file: the authority's certificate.
    """

    folder: "TemporaryDirectory[str]"
    context: ssl.SSLContext
    ca_file: str


def throw_away_authority(host: str, now: datetime, others: Iterable[str] = ()) -> Authority:
    """An authority of this run, and a certificate of its own for a host, for localhost and for others' names.

    With a vendor's names a client whose addresses are fixed can be sent here by its resolver alone. The keys lie in a
    folder of the user's own and are worth nothing elsewhere.
    """
    folder = TemporaryDirectory(prefix="counterfoil-emulator-")
    key = generate_private_key(SECP256R1())
    name = _name("Counterfoil emulator, throw-away authority")
    ca = (
        _begun(name, name, key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, SHA256())
    )
    own = generate_private_key(SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    names.append(x509.IPAddress(ip_address("::1")))
    names += [x509.DNSName(name) for name in others]
    try:
        names.append(x509.IPAddress(ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    leaf = (
        _begun(_name("localhost"), name, own, now)
        .add_extension(x509.SubjectAlternativeName(dict.fromkeys(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    ca_file, chain = Path(folder.name, "authority.pem"), Path(folder.name, "server.pem")
    ca_file.write_bytes(ca.public_bytes(Encoding.PEM))
    secret = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain.touch(mode=0o600)
    chain.write_bytes(leaf.public_bytes(Encoding.PEM) + secret)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return Authority(folder, context, str(ca_file))


def _begun(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
