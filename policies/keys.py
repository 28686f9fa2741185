"""Keys: ours, strong, rotated, guarded, and never open to the public."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws import iam
from policies.aws.privileges import ADMINISTERING, USING
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import Patch, remove, replace

KEY = "aws_kms_key"
KEY_POLICY = "aws_kms_key_policy"
SHORTEST_DELETION_DAYS = 14
YEAR = 365
STRONG_SPECS = frozenset({
    "SYMMETRIC_DEFAULT", "RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384",
    "ECC_NIST_P521", "ECC_SECG_P256K1", "HMAC_224", "HMAC_256", "HMAC_384",
    "HMAC_512", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87",
})  # fmt: skip
STRONG_CERTIFICATES = frozenset({
    "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1",
})  # fmt: skip


def is_symmetric(key: Resource) -> bool:
    """Whether KMS itself can rotate *key*."""
    return bool(key.get("customer_master_key_spec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT")


def rotates_yearly(key: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Symmetric customer-managed keys rotate at least once a year.

    A key's period of use ends before enough is encrypted under it to attack it.
    """
    if key.get("enable_key_rotation") is not True:
        yield Violation("enable_key_rotation is not true", key, "enable_key_rotation")
    if (key.number("rotation_period_in_days", YEAR) or YEAR) > YEAR:
        yield Violation(
            "rotation_period_in_days is longer than a year", key, "rotation_period_in_days"
        )


ROTATION = Policy(
    checks=rotates_yearly,
    applies_to=KEY,
    when=is_symmetric,
    claims=(direct("3.7.4"),),
    example={
        "aws_kms_key": {
            "cde": {"enable_key_rotation": True},
            "signing": {"customer_master_key_spec": "RSA_4096"},
        }
    },
    violated_by=(
        remove("enable_key_rotation"),
        replace("enable_key_rotation", False),
        replace("rotation_period_in_days", 400),
    ),
)


def leaves_time_to_undo_deletion(key: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The deletion of a key can be undone for two weeks at least.

    Deleting a key destroys what it encrypts, and an alarm needs time to be heard.
    """
    if (key.number("deletion_window_in_days", 30) or 0) < SHORTEST_DELETION_DAYS:
        yield Violation(
            f"deletion_window_in_days is shorter than {SHORTEST_DELETION_DAYS}",
            key,
            "deletion_window_in_days",
        )


DELETION_WINDOW = Policy(
    checks=leaves_time_to_undo_deletion,
    applies_to=KEY,
    claims=(supports("3.7.5"),),
    example={"aws_kms_key": {"cde": {"deletion_window_in_days": 30}}},
    violated_by=(replace("deletion_window_in_days", 7),),
)


def is_written_out(key: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Key policies are written out and name their principals.

    A policy for everybody hands the key, and what it protects, to every account on AWS.
    """
    if key.is_known("policy") and not key.is_set("policy"):
        if key.type == KEY and any(True for _ in graph.attached_to(key, KEY_POLICY, by="key_id")):
            return
        yield Violation("policy is not written out", key, "policy")


def names_its_principals(key: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """Key policies name their principals."""
    for statement in iam.statements(key, "policy"):
        if not statement.allows:
            continue
        if statement.has("NotPrincipal"):
            yield Violation(f"policy: {statement.name} allows everybody but some", key, "policy")
        for _, principal in statement.principals():
            if "*" in principal and not statement.is_bound_to_an_account():
                yield Violation(f"policy: {statement.name} allows {principal}", key, "policy")


PUBLIC_POLICY = Policy(
    checks=(is_written_out, names_its_principals),
    applies_to=(
        KEY,
        KEY_POLICY,
        "aws_kms_external_key",
        "aws_kms_replica_external_key",
        "aws_kms_replica_key",
    ),
    claims=(part_of("3.6.1"),),
    example={
        "aws_kms_key": {
            "cde": {
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                            "Action": "kms:DescribeKey",
                            "Resource": "*",
                        }
                    ]
                }
            }
        }
    },
    violated_by=(
        remove("policy"),
        *(
            replace("policy", {"Statement": {"Effect": "Allow", **principal, "Action": "kms:*"}})
            for principal in (
                {"Principal": "*"},
                {"Principal": {"AWS": ["arn:aws:iam::111122223333:root", "*"]}},
                {"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}},
            )
        ),
    ),
)


def separates_duties(key: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Who administers a key does not use it.

    The account itself may do both: it hands to its roles what each of them is for.
    """
    duties: dict[str, set[str]] = {}
    for statement in iam.statements(key, "policy"):
        if statement.allows:
            done = {
                duty
                for duty, actions in (("administers", ADMINISTERING), ("uses", USING))
                if statement.has("NotAction")
                or any(iam.reaches(action, actions) for action in statement.actions())
            }
            for principal in statement.named_principals():
                duties.setdefault(principal, set()).update(done)
    for principal, done in duties.items():
        if len(done) > 1 and not iam.ACCOUNT.fullmatch(principal):
            yield Violation(f"policy: {principal} administers it, and uses it", key, "policy")


def _for_both(*principals: str) -> Patch:
    """A mutation: two statements let *principals* administer the key, and use it."""
    return replace(
        "policy",
        {
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": action}
                for action in ("kms:PutKeyPolicy", "kms:Decrypt")
            ]
        },
    )


SEPARATE_DUTIES = Policy(
    checks=separates_duties,
    applies_to=(KEY, KEY_POLICY),
    claims=(part_of("3.6.1.3"),),
    example={
        KEY: {
            "cde": {
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": f"arn:aws:iam::111122223333:role/{role}"},
                            "Action": action,
                            "Resource": "*",
                        }
                        for role, action in (("keys", "kms:PutKeyPolicy"), ("app", "kms:Decrypt"))
                    ]
                }
            }
        }
    },
    violated_by=(
        _for_both("arn:aws:iam::111122223333:role/keys"),
        _for_both("arn:aws:iam::111122223333:root", "${aws_iam_role.app.arn}"),
    ),
)

MATERIAL = Policy(
    prohibits=("aws_kms_external_key", "aws_kms_replica_external_key"),
    title="Keys are made by KMS, and never leave it.",
    why="What somebody brought, somebody may still have.",
    claims=(supports("3.6.1.2"), supports("3.7.3")),
)


def is_strong(key: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Keys are of a strong kind.

    At least 112 bits of effective strength, by NIST SP 800-57.
    """
    spec = key.get("customer_master_key_spec", "SYMMETRIC_DEFAULT")
    if spec not in STRONG_SPECS:
        yield Violation(f"customer_master_key_spec is {spec}", key, "customer_master_key_spec")


KEY_STRENGTH = Policy(
    checks=is_strong,
    applies_to=KEY,
    claims=(supports("3.7.1"),),
    example={"aws_kms_key": {"cde": {"customer_master_key_spec": "SYMMETRIC_DEFAULT"}}},
    violated_by=(replace("customer_master_key_spec", "RSA_1024"),),
)


def has_a_strong_key(certificate: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Certificates are requested with a strong key.

    At least 112 bits of effective strength, by NIST SP 800-57.
    """
    algorithm = certificate.get("key_algorithm", "RSA_2048")
    if algorithm not in STRONG_CERTIFICATES:
        yield Violation(f"key_algorithm is {algorithm}", certificate, "key_algorithm")


CERTIFICATE_STRENGTH = Policy(
    checks=has_a_strong_key,
    applies_to="aws_acm_certificate",
    when=lambda certificate: certificate.values.get("private_key") is None,
    claims=(part_of("4.2.1"),),
    example={
        "aws_acm_certificate": {
            "entry": {"key_algorithm": "EC_prime256v1"},
            "imported": {"private_key": "${var.key}"},
        }
    },
    violated_by=(replace("key_algorithm", "RSA_1024"),),
)


def names_what_it_is_for(certificate: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Certificates name the hosts that they are for.

    One for every host of a domain serves whoever gets hold of one of them.
    """
    names = (certificate.get("domain_name"), *(certificate.get("subject_alternative_names") or ()))
    for name in names:
        if str(name).startswith("*."):
            yield Violation(f"is for {name}", certificate, "domain_name")


CERTIFICATE_NAMES = Policy(
    checks=names_what_it_is_for,
    applies_to="aws_acm_certificate",
    example={"aws_acm_certificate": {"entry": {"domain_name": "pay.example.com"}}},
    violated_by=(
        replace("domain_name", "*.example.com"),
        replace("subject_alternative_names", ["*.pay.example.com"]),
    ),
)


def stays_in_one_region(key: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Keys stay in one region.

    Every copy of a key is one more place to guard.
    """
    if key.get("multi_region", False) is not False:
        yield Violation("multi_region is not false", key, "multi_region")


SINGLE_REGION = Policy(
    checks=stays_in_one_region,
    applies_to=KEY,
    claims=(supports("3.6.1.4"),),
    example={"aws_kms_key": {"cde": {"multi_region": False}}},
    violated_by=(replace("multi_region", True),),
)
