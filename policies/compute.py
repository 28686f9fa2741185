"""Instances: hardened metadata, encrypted volumes, no key pair, no public address."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from policies.aws import credentials, encryption, reachability
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Each, Policy, Violation, direct, part_of, supports
from policies.engine.mutate import add, remove, replace
from policies.engine.values import UnknownValue

TEMPLATE = "aws_launch_template"
INSTANCES = (
    TEMPLATE,
    "aws_instance",
    "aws_launch_configuration",
    "aws_spot_instance_request",
)
GROUP = "aws_autoscaling_group"


def requires_session_tokens(instance: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Instances answer for their metadata with session tokens only (IMDSv2).

    Without a token, one forged request through the application gives the role's keys away.
    """
    if instance.get("metadata_options.http_endpoint", "enabled") == "disabled":
        return
    if instance.type != TEMPLATE and not instance.is_set("metadata_options"):
        inherited = list(instance.blocks("launch_template"))
        if inherited:
            for template in graph.follow(inherited[0], "id"):
                yield from requires_session_tokens(template, graph)
            return
    if instance.get("metadata_options.http_tokens") != "required":
        yield Violation(
            "metadata_options.http_tokens is not required",
            instance,
            "metadata_options.http_tokens",
        )


IMDSV2 = Policy(
    checks=requires_session_tokens,
    applies_to=INSTANCES,
    claims=(part_of("2.2.6"),),
    example={"aws_launch_template": {"app": {"metadata_options": {"http_tokens": "required"}}}},
    violated_by=(
        remove("metadata_options"),
        remove("metadata_options.http_tokens"),
        replace("metadata_options.http_tokens", "optional"),
    ),
)


def keeps_metadata_on_the_instance(instance: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Metadata is answered to the instance itself, one hop away.

    A container or a proxy on the instance is a second hop.
    """
    hops = instance.number("metadata_options.http_put_response_hop_limit", 1)
    if hops != 1:
        yield Violation(
            f"metadata_options.http_put_response_hop_limit is {hops:g}",
            instance,
            "metadata_options.http_put_response_hop_limit",
        )


HOP_LIMIT = Policy(
    checks=keeps_metadata_on_the_instance,
    applies_to=INSTANCES,
    example={
        "aws_launch_template": {"app": {"metadata_options": {"http_put_response_hop_limit": 1}}}
    },
    violated_by=(replace("metadata_options.http_put_response_hop_limit", 2),),
)


def describes_its_volumes(template: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Launch templates describe their volumes, all of them encrypted.

    A volume that the template does not describe is as encrypted as the image is.
    """
    if not list(template.blocks("block_device_mappings")):
        yield Violation(
            "block_device_mappings describes no volume", template, "block_device_mappings"
        )


def encrypts_its_volume(mapping: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """Each volume of a launch template is encrypted."""
    is_disk = mapping.get("no_device") is None and mapping.get("virtual_name") is None
    if is_disk and mapping.get("ebs.encrypted") is not True:
        yield Violation("ebs.encrypted is not true", mapping, "ebs.encrypted")


TEMPLATE_VOLUMES = Policy(
    checks=(describes_its_volumes, Each("block_device_mappings", encrypts_its_volume)),
    applies_to=TEMPLATE,
    claims=(supports("3.5.1"),),
    example={
        "aws_launch_template": {"app": {"block_device_mappings": [{"ebs": {"encrypted": True}}]}}
    },
    violated_by=(
        remove("block_device_mappings"),
        replace("block_device_mappings.0.ebs.encrypted", False),
        remove("block_device_mappings.0.ebs.encrypted"),
    ),
)


def is_encrypted(volume: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Volumes are encrypted.

    Disk encryption helps against a lost disk; it does not make stored card numbers unreadable.
    """
    if volume.get("encrypted") is not True:
        yield Violation("encrypted is not true", volume, "encrypted")


VOLUMES = Policy(
    checks=is_encrypted,
    applies_to="aws_ebs_volume",
    claims=(supports("3.5.1"),),
    example={"aws_ebs_volume": {"data": {"encrypted": True}}},
    violated_by=(remove("encrypted"), replace("encrypted", False)),
)


def describes_its_disks(instance: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Instances describe their disks, all of them encrypted.

    A disk that is not described is as encrypted as the image is.
    """
    if not any(True for _ in instance.blocks("root_block_device")):
        yield Violation("root_block_device is not described", instance, "root_block_device")


def encrypts_its_disk(disk: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """Each disk of an instance is encrypted."""
    if disk.get("encrypted") is not True:
        yield Violation("encrypted is not true", disk, "encrypted")


INSTANCE_VOLUMES = Policy(
    checks=(
        describes_its_disks,
        Each("root_block_device", encrypts_its_disk),
        Each("ebs_block_device", encrypts_its_disk),
    ),
    applies_to=("aws_instance", "aws_launch_configuration", "aws_spot_instance_request"),
    when=lambda instance: not instance.is_set("launch_template"),
    claims=(supports("3.5.1"),),
    example={
        "aws_instance": {
            "app": {
                "root_block_device": [{"encrypted": True}],
                "ebs_block_device": [{"encrypted": True}],
            },
            "templated": {"launch_template": [{"id": "${aws_launch_template.app.id}"}]},
        }
    },
    violated_by=(
        remove("root_block_device"),
        replace("root_block_device.0.encrypted", False),
        replace("ebs_block_device.0.encrypted", False),
    ),
)


def uses_a_key_of_ours(volume: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Volumes are encrypted with a key of ours.

    Who may use the key of AWS cannot be restricted by us.
    """
    yield from encryption.not_ours(volume, "kms_key_id", graph)


VOLUME_KEY = Policy(
    checks=uses_a_key_of_ours,
    applies_to="aws_ebs_volume",
    claims=(supports("3.6.1"),),
    example={"aws_ebs_volume": {"data": {"kms_key_id": "${aws_kms_key.volumes.arn}"}}},
    violated_by=(remove("kms_key_id"), replace("kms_key_id", "alias/aws/ebs")),
)


def encrypts_with_a_key_of_ours(mapping: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The volumes of a launch template are encrypted with a key of ours.

    Who may use the key of AWS cannot be restricted by us.
    """
    yield from encryption.not_ours(mapping, "ebs.kms_key_id", graph)


TEMPLATE_VOLUME_KEY = Policy(
    checks=Each("block_device_mappings", encrypts_with_a_key_of_ours),
    applies_to=TEMPLATE,
    claims=(supports("3.6.1"),),
    example={
        "aws_launch_template": {
            "app": {
                "block_device_mappings": [{"ebs": {"kms_key_id": "${aws_kms_key.volumes.arn}"}}]
            }
        }
    },
    violated_by=(
        remove("block_device_mappings.0.ebs.kms_key_id"),
        replace("block_device_mappings.0.ebs.kms_key_id", "alias/aws/ebs"),
    ),
)


def has_no_key_pair(instance: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Instances start without a key pair for SSH.

    A private key is shared, copied and never recorded; Session Manager knows who came.
    """
    if instance.is_set("key_name"):
        yield Violation("key_name is set", instance, "key_name")


KEY_PAIRS = Policy(
    checks=has_no_key_pair,
    applies_to=INSTANCES,
    claims=(supports("2.2.4"), supports("8.6.1")),
    example={"aws_launch_template": {"app": {}}},
    violated_by=(replace("key_name", "operator"),),
)


def takes_no_public_address(instance: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Instances take no public address.

    What stores account data stands behind the load balancer, not beside it.
    """
    if instance.get("associate_public_ip_address", False) is not False:
        yield Violation("associate_public_ip_address is not false", instance)
    for interface in instance.blocks("network_interfaces"):
        if interface.get("associate_public_ip_address", False) is not False:
            yield Violation("associate_public_ip_address is not false", interface)
    for type, by in reachability.ELASTIC_ADDRESSES.items():
        for address in graph.attached_to(instance, type, by=by):
            yield Violation("gives an instance a public address", address, by)


PUBLIC_ADDRESSES = Policy(
    checks=takes_no_public_address,
    applies_to=INSTANCES,
    claims=(part_of("1.4.4"), supports("1.4.5")),
    example={
        "aws_launch_template": {
            "app": {"network_interfaces": [{"associate_public_ip_address": False}]}
        }
    },
    violated_by=(
        replace("network_interfaces", [{"associate_public_ip_address": True}]),
        replace("associate_public_ip_address", True),
        add("aws_eip", instance="${{subject}.id}"),
    ),
)


def starts_from_one_version(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Auto scaling groups start from one version of a launch template.

    ``$Latest`` starts what was never reviewed with the group.
    """
    templates = [
        *group.blocks("launch_template"),
        *group.blocks("mixed_instances_policy.launch_template.launch_template_specification"),
    ]
    for override in group.blocks("mixed_instances_policy.launch_template.override"):
        templates += override.blocks("launch_template_specification")
    if not templates:
        yield Violation("starts from no launch template", group, "launch_template")
    for template in templates:
        if not template.is_set("version"):
            yield Violation("launch_template.version is not set", template, "version")
        for version in template.reference("version"):
            if version.startswith("$"):
                yield Violation(f"launch_template.version is {version}", template, "version")


TEMPLATE_VERSION = Policy(
    checks=starts_from_one_version,
    applies_to=GROUP,
    claims=(supports("2.2.1"),),
    example={"aws_autoscaling_group": {"app": {"launch_template": {"version": "7"}}}},
    violated_by=(
        remove("launch_template"),
        replace("launch_template.version", "$Latest"),
        remove("launch_template.version"),
    ),
)


def replaces_what_is_broken(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Auto scaling groups behind a load balancer trust its health check, in two zones or more.

    An instance that answers no customer is replaced, though it runs.
    """
    if group.get("health_check_type") != "ELB":
        yield Violation("health_check_type is not ELB", group, "health_check_type")
    if len(group.get("vpc_zone_identifier", ())) < 2:  # noqa: PLR2004 - two zones
        yield Violation("vpc_zone_identifier names one subnet", group, "vpc_zone_identifier")


def is_balanced(group: Resource) -> bool:
    """Whether *group* stands behind a load balancer."""
    return any(True for _ in group.reference("target_group_arns"))


HEALTH_CHECK = Policy(
    checks=replaces_what_is_broken,
    applies_to=GROUP,
    when=is_balanced,
    example={
        "aws_autoscaling_group": {
            "app": {
                "target_group_arns": ["${aws_lb_target_group.app.arn}"],
                "health_check_type": "ELB",
                "vpc_zone_identifier": ["${aws_subnet.a.id}", "${aws_subnet.b.id}"],
            },
            "batch": {},
        }
    },
    violated_by=(
        remove("health_check_type"),
        replace("health_check_type", "EC2"),
        replace("vpc_zone_identifier", ["${aws_subnet.a.id}"]),
    ),
)


def boots_without_a_secret(instance: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Boot scripts hold no password, key or token.

    User data can be read from the instance, from its template, and from every plan.
    """
    for attribute in ("user_data", "user_data_base64"):
        text = instance.peek(attribute)
        if isinstance(text, str):
            for kind in credentials.found_in(text):
                yield Violation(f"{attribute} holds {kind}", instance, attribute)
            text = _script(text, attribute, instance)
        if text is not None:
            for kind in credentials.in_setting(attribute, text):
                yield Violation(f"{attribute} holds {kind}", instance, attribute)


def _script(text: str, attribute: str, instance: Resource) -> str:
    """
    Return the boot script in *text*, which may be encoded.

    Raises:
        UnknownValue: It has to be encoded and is not, or a plan shows its digest only.
    """
    if re.fullmatch(r"[0-9a-f]{40}", text):
        raise UnknownValue(f"{attribute} is shown as a digest only")
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        if instance.type == TEMPLATE or attribute == "user_data_base64":
            raise UnknownValue(f"{attribute} is not readable as base64 text") from error
        return text


USER_DATA = Policy(
    checks=boots_without_a_secret,
    applies_to=INSTANCES,
    claims=(direct("8.6.2"),),
    example={
        "aws_launch_template": {
            "app": {"user_data": base64.b64encode(b"dnf install nginx").decode()}
        }
    },
    violated_by=(
        replace("user_data", base64.b64encode(b"DB_PASSWORD=correct-horse-battery").decode()),
        replace("user_data", base64.b64encode(b"key = AKIAIOSFODNN7EXAMPLE").decode()),
        replace("user_data", base64.b64encode(b"-----BEGIN RSA PRIVATE KEY-----").decode()),
    ),
)


def is_nobody_else(instance: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Servers send in their own name, and take what is sent to it.

    AWS drops packets with a forged address, unless it is told not to look.
    """
    if instance.get("source_dest_check", True) is not True:
        yield Violation("source_dest_check is not true", instance, "source_dest_check")


SOURCE_CHECKS = Policy(
    checks=is_nobody_else,
    applies_to=("aws_instance", "aws_network_interface"),
    claims=(supports("1.4.3"),),
    example={"aws_instance": {"app": {"source_dest_check": True}}},
    violated_by=(replace("source_dest_check", False),),
)

MONTH_DAYS = 30
SECURITY = frozenset({"*", "Critical", "Important"})
BASELINE = "aws_ssm_patch_baseline"


def approves_within_a_month(baseline: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Security patches are approved within a month.

    What is known to be open is attacked sooner than that.
    """
    rules = list(baseline.blocks("approval_rule"))
    if not rules and not baseline.is_set("approved_patches"):
        yield Violation("approval_rule is not stated, and nothing is approved", baseline)
    for rule in rules:
        days = rule.number("approve_after_days")
        if days is not None and days > MONTH_DAYS:
            yield Violation(
                f"approve_after_days is {days:g}, longer than {MONTH_DAYS}",
                rule,
                "approve_after_days",
            )
        if rule.is_set("approve_until_date"):
            yield Violation("approve_until_date ends the patching", rule, "approve_until_date")


PATCH_BASELINES = Policy(
    checks=approves_within_a_month,
    applies_to=BASELINE,
    claims=(part_of("6.3.3"),),
    example={BASELINE: {"app": {"approval_rule": [{"approve_after_days": 7}]}}},
    violated_by=(
        remove("approval_rule"),
        replace("approval_rule.0.approve_after_days", 90),
        replace("approval_rule", [{"approve_until_date": "2026-01-01"}]),
    ),
)

IMAGE = "data.aws_ami"


def is_of_somebody_we_name(image: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Images are looked for among those of owners whom we name.

    Anybody may publish an image under any name, and the newest is taken.
    """
    owners = list(image.get("owners") or ())
    for wanted in image.blocks("filter"):
        if wanted.get("name") in {"owner-id", "owner-alias"}:
            owners += wanted.get("values") or ()
    if not owners:
        yield Violation("owners is not stated", image, "owners")
    if "*" in owners or "aws-marketplace" in owners:
        yield Violation(f"owners is {', '.join(owners)}", image, "owners")


IMAGE_OWNERS = Policy(
    checks=is_of_somebody_we_name,
    applies_to=IMAGE,
    claims=(supports("2.2.1"), supports("6.3.2")),
    example={"data.aws_ami": {"linux": {"owners": ["amazon"]}}},
    violated_by=(remove("owners"), replace("owners", []), replace("owners", ["aws-marketplace"])),
)
