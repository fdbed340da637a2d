"""Certificates that the tests make for servers and authorities of their own."""

import datetime as dt


def certified(folder, name, subject, *, days, number=1, by=None, extensions=(), ca=False):
    """Write NAME.pem and NAME.key; give what signs others: its key and its name.

    `days` from today it begins and ends; `by` whom it is signed, else by itself.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    mine = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    signer, issuer = by or (key, mine)
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(mine)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(number)
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    for extension, critical in extensions:
        made = made.add_extension(extension, critical=critical)
    pem = made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / f"{name}.pem").write_bytes(pem)
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return key, mine
