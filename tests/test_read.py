"""Documents: what is read, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.engine import strict_json
from policies.engine.document import DRIFT, FORGET, MODULE, PROVISIONER, DocumentError
from policies.engine.graph import Stage
from policies.engine.masking import masked
from policies.engine.read import read
from policies.engine.values import PLAIN, Explained, Unknown, UnknownValue

VPC = {"aws_vpc": {"main": {"cidr_block": "10.0.0.0/16"}}}


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a document into a folder of its own."""

    def write_document(content, name="cdk.tf.json", folder="stack"):
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write_document


def addresses(path):
    [reading] = read([path])
    return [resource.address for resource in reading.graph.resources]


def refused(path):
    with pytest.raises(DocumentError) as refusal:
        read([path])
    message = str(refusal.value)

    assert "\n" not in message
    return message


def plan(*changes, **document):
    """Return a plan with these resource changes."""
    planned = [
        {
            "address": change["address"],
            "mode": "managed",
            "type": change["type"],
            "values": change["change"]["after"],
        }
        for change in changes
        if change["change"]["after"] is not None
    ]
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "resource_changes": list(changes),
        "planned_values": {"root_module": {"resources": planned}},
        "configuration": {"root_module": {}},
        **document,
    }


def change(address="aws_vpc.main", actions=("create",), after=None, unknown=None, before=None):
    values = None if actions == ("delete",) else (after or {"cidr_block": "10.0.0.0/16"})
    return {
        "address": address,
        "mode": "managed",
        "type": address.rpartition(".")[0].rpartition(".")[2],
        "change": {
            "actions": list(actions),
            "before": before or {"cidr_block": "10.0.0.0/8"},
            "after": values,
            "after_unknown": unknown or {},
        },
    }


def test_a_stack_is_read(write):
    path = write({"//": {"metadata": {"stackName": "financial-dev"}}, "resource": VPC})
    [reading] = read([path.parent])

    assert ["aws_vpc.main"] == [resource.address for resource in reading.graph.resources]
    assert ("financial-dev", Stage.DESIGN, "stack") == (
        reading.document.stack,
        reading.document.stage,
        reading.document.kind,
    )


@pytest.mark.parametrize(
    "resource",
    [
        [VPC],
        {"aws_vpc": [{"main": {"cidr_block": "10.0.0.0/16"}}]},
        {"aws_vpc": {"main": [{"cidr_block": "10.0.0.0/16"}]}},
    ],
    ids=["blocks", "labels", "body"],
)
def test_every_level_of_a_block_may_be_a_list(write, resource):
    assert ["aws_vpc.main"] == addresses(write({"resource": resource}))


def test_a_document_may_be_a_list(write):
    assert ["aws_vpc.main"] == addresses(write([{"resource": VPC}]))


def test_an_override_file_is_merged_as_terraform_merges_it(write):
    write({"resource": {"aws_vpc": {"main": {"cidr_block": "10.0.0.0/16", "tags": {"a": "b"}}}}})
    path = write(
        {"resource": {"aws_vpc": {"main": {"cidr_block": "10.1.0.0/16"}}}}, "override.tf.json"
    )
    [reading] = read([path.parent])
    [vpc] = reading.graph.resources

    assert {"cidr_block": "10.1.0.0/16", "tags": {"a": "b"}} == vpc.values


def test_what_is_never_created_is_absent(write):
    path = write({"resource": {"aws_vpc": {"main": {}, "never": {"count": 0}}}})
    [reading] = read([path])

    assert ["aws_vpc.main"] == [resource.address for resource in reading.graph.resources]
    assert ["aws_vpc.never"] == [resource.address for resource in reading.graph.absent]


def test_modules_and_provisioners_are_told(write):
    path = write(
        {
            "resource": {
                "aws_vpc": {"main": {"provisioner": [{"local-exec": {"command": "true"}}]}}
            },
            "module": {"network": {"source": "./network"}},
        }
    )
    [reading] = read([path])

    assert {"aws_vpc", MODULE, PROVISIONER} == {r.type for r in reading.graph.resources}


def test_hidden_files_are_left_out_as_terraform_leaves_them(write, tmp_path):
    path = write({"resource": VPC}).parent
    write({"resource": {"aws_vpc": {"hidden": {}}}}, ".hidden.tf.json")
    write({"resource": VPC}, folder=".terraform")
    [reading] = read([tmp_path])

    assert [path / "cdk.tf.json"] == [path.parent.parent / reading.document.path]
    assert ["aws_vpc.main"] == [resource.address for resource in reading.graph.resources]


def test_a_stack_that_the_manifest_names_must_be_there(write, tmp_path):
    write({"resource": VPC}, folder="financial-dev")
    (tmp_path / "manifest.json").write_text(
        '{"stacks": {"financial-dev": {}, "financial-prod": {}}}'
    )

    assert "names stack financial-prod, which is not there" in refused(tmp_path)


def test_two_documents_of_one_stack_are_refused(write, tmp_path):
    for folder in ("one", "two"):
        write({"//": {"metadata": {"stackName": "same"}}, "resource": VPC}, folder=folder)

    assert "describes stack same as " in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        ('{"resource": {"aws_vpc"', "Expecting ':' delimiter"),
        ('{"resource": {}} {"resource": {}}', "Extra data"),
        ('{"resource": {"a": 1, "a": 2}}', "key 'a' stands twice"),
        ('{"resource": NaN}', "NaN is no JSON number"),
        ('{"resource": 1e999}', "too large a number"),
        ('{"resource": ' + "9" * 5000 + "}", "Exceeds the limit"),
        ('{"resource": {"a_b": {"c": {"d": "\\ud800"}}}}', "half a character"),
        ("[" * 100_000 + "]" * 100_000, "nested more than 100 levels deep"),
        (b"\xff\xfe{}", "not UTF-8 at byte 0"),
        (b'\xef\xbb\xbf{"resource": {}}', "BOM"),
        ("{}", "no resource in it"),
        ("null", "no Terraform configuration, but null"),
        ('"resource"', "no Terraform configuration, but a string"),
        ('{"resource": "aws_vpc"}', "resource is a string, and must be an object"),
        ('{"resource": {"aws_vpc": null}}', "resource.aws_vpc is null"),
        ('{"resource": {"aws_vpc": {"a": {}}}, "resources": {}}', "'resources' is no block"),
    ],
)
def test_what_is_no_stack_is_refused(write, content, reason):
    message = refused(write(content))

    assert reason in message
    assert message.startswith("/")


def test_a_resource_that_stands_twice_is_refused(write):
    write({"resource": VPC})
    path = write({"resource": VPC}, "more.tf.json")

    assert "resource aws_vpc.main stands twice, also in cdk.tf.json" in refused(path.parent)


def test_an_output_that_stands_twice_is_refused(write):
    write({"output": {"key": {"value": 1}}, "resource": VPC})
    path = write({"output": {"key": {"value": 2}}}, "more.tf.json")

    assert "output key stands twice, also in cdk.tf.json" in refused(path.parent)


def test_a_module_that_stands_twice_is_refused(write):
    write({"module": {"m": {"source": "./m"}}, "resource": VPC})
    path = write({"module": {"m": {"source": "./n"}}}, "more.tf.json")

    assert "module m stands twice, also in cdk.tf.json" in refused(path.parent)


def test_a_path_that_is_missing_is_refused(tmp_path):
    assert "no such file or folder" in refused(tmp_path / "nowhere")


def test_an_empty_folder_is_refused(tmp_path):
    assert "no Terraform JSON in it" in refused(tmp_path)


def test_hcl_is_refused(write):
    write({"resource": VPC})
    path = write('resource "aws_vpc" "other" {}', "main.tf")

    assert "not read here, but by Terraform" in refused(path.parent)


def test_a_stack_of_an_earlier_synthesis_is_refused(write, tmp_path):
    for stack in ("financial-dev", "financial-qa"):
        write({"resource": VPC}, folder=stack)
    (tmp_path / "manifest.json").write_text('{"stacks": {"financial-dev": {}}}')

    assert "financial-qa: not of this synthesis" in refused(tmp_path)


@pytest.mark.parametrize("manifest", ['{"stacks": 5}', '{"stacks": [{}]}', "[]"])
def test_a_manifest_without_stacks_is_refused(write, tmp_path, manifest):
    write({"resource": VPC})
    (tmp_path / "manifest.json").write_text(manifest)

    assert "names no stacks" in refused(tmp_path)


@pytest.mark.parametrize("name", ["more.tf.json", "more.tf", "override.tf.json", "more.tofu"])
def test_a_file_that_terraform_reads_with_others_is_not_judged_alone(write, name):
    path = write({"resource": VPC})
    write({"resource": {"aws_vpc": {"other": {}}}}, name)

    assert f"Terraform reads {name} with it" in refused(path)


def test_a_plan_under_another_name_is_refused(write):
    write({"resource": VPC})
    path = write(plan(change()), "tfplan.json")

    assert "not read under this name; call it plan.json" in refused(path.parent)


def test_a_plan_alone_in_a_folder_is_judged(write):
    path = write(plan(change()), "plan.json")

    assert ["aws_vpc.main"] == addresses(path.parent)


def test_a_link_to_a_folder_is_refused(write, tmp_path):
    target = write({"resource": VPC}, folder="one").parent
    (tmp_path / "two").symlink_to(target, target_is_directory=True)

    assert "a link to a folder" in refused(tmp_path)


def test_an_override_may_change_something_else_than_resources(write):
    write({"resource": VPC})
    path = write({"locals": {"a": 1}}, "override.tf.json")

    assert ["aws_vpc.main", "local.a"] == addresses(path.parent)


def test_a_plan_that_is_nested_too_deeply_is_refused(write):
    deep = '{"a":' * 5_000 + "true" + "}" * 5_000
    text = json.dumps(plan(change(unknown={"tags": "DEEP"}))).replace('"DEEP"', deep)

    assert "nested more than 100 levels deep" in refused(write(text, "plan.json"))


def test_what_was_deposed_is_absent(write):
    path = write(plan(change(), {**change(actions=("delete",)), "deposed": "0123"}), "plan.json")
    [reading] = read([path])

    assert 1 == len(reading.graph.resources) == len(reading.graph.absent)


def test_a_link_is_refused(write, tmp_path):
    target = write({"resource": VPC})
    link = tmp_path / "stack" / "linked.tf.json"
    link.symlink_to(target)

    assert "not a regular file" in refused(link)


def test_json_of_another_kind_is_refused(write):
    assert "neither a synthesized stack" in refused(write({"resource": VPC}, "other.json"))


def test_a_plan_is_read(write):
    path = write(plan(change(unknown={"arn": True})), "plan.json")
    [reading] = read([path])
    [vpc] = reading.graph.resources

    assert (Stage.PLANNED, "plan") == (reading.document.stage, reading.document.kind)
    assert "10.0.0.0/16" == vpc.get("cidr_block")
    with pytest.raises(UnknownValue, match="arn is not known"):
        vpc.get("arn")


WRITTEN = {
    "aws_vpc": {"main": {"cidr_block": "10.0.0.0/16"}},
    "aws_subnet": {
        "a": {
            "vpc_id": "${aws_vpc.main.id}",
            "cidr_block": "10.0.1.0/24",
            "ipv6_native": None,
            "tags": {"Name": "a"},
            "timeouts": {"create": "10m"},
        }
    },
}
CONFIGURATION = {
    "root_module": {
        "resources": [
            {
                "address": "aws_vpc.main",
                "expressions": {"cidr_block": {"constant_value": "10.0.0.0/16"}},
            },
            {
                "address": "aws_subnet.a",
                "expressions": {
                    "vpc_id": {"references": ["aws_vpc.main.id", "aws_vpc.main"]},
                    "cidr_block": {"constant_value": "10.0.1.0/24"},
                    "tags": {"constant_value": {"Name": "a"}},
                    "timeouts": {"create": {"constant_value": "10m"}},
                },
            },
        ]
    }
}


@pytest.fixture
def folder(write):
    """Return a function that writes a stack and a plan that was made from it."""

    def write_both(written=WRITTEN, configuration=CONFIGURATION):
        write({"//": {"metadata": {"stackName": "financial-dev"}}, "resource": written})
        subnet = change(
            "aws_subnet.a", after={"cidr_block": "10.0.1.0/24"}, unknown={"vpc_id": True}
        )
        changes = (change(unknown={"id": True, "tags": True}), subnet)
        return write(plan(*changes, configuration=configuration), "plan.json").parent

    return write_both


def test_a_plan_beside_its_stack_belongs_to_it(folder):
    design, planned = read([folder()])

    assert "financial-dev" == design.document.stack == planned.document.stack


def test_a_plan_may_tell_of_a_resource_without_arguments(folder):
    configuration = json.loads(json.dumps(CONFIGURATION))
    configuration["root_module"]["resources"].append({
        "address": "aws_eip.out", "mode": "managed", "type": "aws_eip", "name": "out",
    })  # fmt: skip
    design, planned = read([folder({**WRITTEN, "aws_eip": {"out": {}}}, configuration)])

    assert "financial-dev" == design.document.stack == planned.document.stack


def test_a_stack_explains_the_one_block_of_its_plan():
    told, apart = (
        masked(values, unknown, design, PLAIN)
        for values, unknown, design in (
            ([{"key": None}], [{"key": True}], [{"key": "${aws_kms_key.k.arn}"}]),
            ([{"key": None}] * 2, [{"key": True}] * 2, [{"key": "${aws_kms_key.k.arn}"}] * 2),
        )
    )

    assert [{"key": Explained("${aws_kms_key.k.arn}", PLAIN)}] == told
    assert [{"key": Unknown()}] * 2 == apart


def test_a_stack_explains_what_its_plan_does_not_know(folder):
    _, planned = read([folder()])
    vpc, subnet = planned.graph.resources

    assert vpc.get("tags") is None
    assert ["aws_vpc.main"] == list(subnet.reference("vpc_id"))
    with pytest.raises(UnknownValue):
        subnet.get("vpc_id")


def test_a_stack_never_overrules_what_its_plan_knows(folder):
    written = json.loads(json.dumps(WRITTEN))
    written["aws_vpc"]["main"]["cidr_block"] = "${var.block}"
    configuration = json.loads(json.dumps(CONFIGURATION))
    expressions = configuration["root_module"]["resources"][0]["expressions"]
    expressions["cidr_block"] = {"references": ["var.block"]}
    _, planned = read([folder(written, configuration)])

    assert "10.0.0.0/16" == planned.graph.resources[0].get("cidr_block")


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("aws_vpc", "main", "cidr_block"), "10.9.0.0/16", "aws_vpc.main.cidr_block"),
        (("aws_vpc", "main", "enable_dns_support"), True, "aws_vpc.main.enable_dns_support"),
        (("aws_subnet", "a", "vpc_id"), "${aws_vpc.other.id}", "aws_subnet.a.vpc_id"),
        (("aws_subnet", "a", "vpc_id"), "${aws_vpc.main.arn}", "aws_subnet.a.vpc_id"),
        (("aws_subnet", "a", "vpc_id"), "vpc-1", "aws_subnet.a.vpc_id"),
        (("aws_subnet", "a", "tags"), {"Name": "b"}, "aws_subnet.a.tags"),
        (("aws_subnet", "a", "timeouts"), {"create": "1m"}, "aws_subnet.a.timeouts.create"),
        (("aws_subnet", "a", "timeouts"), [{}, {}], "aws_subnet.a.timeouts.number"),
        (("aws_vpc", "more"), {}, "aws_vpc.more"),
    ],
)
def test_a_plan_of_another_stack_is_refused(folder, path, value, place):
    written = json.loads(json.dumps(WRITTEN))
    *parents, last = path
    target = written
    for parent in parents:
        target = target[parent]
    target[last] = value

    assert f"made from another stack, which differs in {place}; plan again" in refused(
        folder(written)
    )


def state(*resources, **document):
    return {
        "format_version": "1.0",
        "terraform_version": "1.11.4",
        "values": {"root_module": {"resources": list(resources)}},
        **document,
    }


def deployed(address, **values):
    type = address.partition(".")[0]
    return {"address": address, "mode": "managed", "type": type, "values": values}


def test_a_state_tells_of_modules_and_of_what_was_looked_up(write):
    looked_up = {**deployed("data.aws_vpc.v", id="vpc-1"), "mode": "data", "type": "aws_vpc"}
    inner = {"resources": [deployed("module.m.aws_subnet.a", vpc_id="vpc-1")]}
    inner["resources"][0]["type"] = "aws_subnet"
    root = {"resources": [looked_up], "child_modules": [{"child_modules": [inner]}]}
    [reading] = read([write(state(values={"root_module": root}), "state.json")])

    assert [("data.aws_vpc.v", "data.aws_vpc"), ("module.m.aws_subnet.a", "aws_subnet")] == [
        (resource.address, resource.type) for resource in reading.graph.resources
    ]


def test_a_state_is_read_and_its_resources_find_each_other(write):
    path = write(
        state(deployed("aws_vpc.main", id="vpc-1"), deployed("aws_subnet.a", vpc_id="vpc-1")),
        "state.json",
    )
    [reading] = read([path])
    vpc, subnet = reading.graph.resources

    assert (Stage.DEPLOYED, "state") == (reading.document.stage, reading.document.kind)
    assert [subnet] == list(reading.graph.attached_to(vpc, "aws_subnet", by="vpc_id"))
    assert [vpc] == list(reading.graph.follow(subnet, "vpc_id"))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (state(), "holds no resource"),
        (state(deployed("aws_vpc.a"), format_version="2.0"), "state format 2.0 is not known"),
        (state({"address": "aws_vpc.a"}), "no whole state"),
        ({"values": None, "format_version": "1.0"}, "no whole state"),
    ],
)
def test_what_is_no_whole_state_is_refused(write, document, reason):
    assert reason in refused(write(document, "state.json"))


def test_what_a_plan_deletes_is_absent_and_what_it_forgets_is_told(write):
    path = write(
        plan(
            change(),
            change("aws_vpc.gone", ("delete",)),
            change("aws_vpc.forgotten", ("forget",)),
            planned_values={
                "root_module": {
                    "resources": [
                        {
                            "address": "aws_vpc.main",
                            "mode": "managed",
                            "type": "aws_vpc",
                            "values": {"cidr_block": "10.0.0.0/16"},
                        }
                    ]
                }
            },
        ),
        "plan.json",
    )
    [reading] = read([path])

    assert ["aws_vpc.gone"] == [resource.address for resource in reading.graph.absent]
    assert ["aws_vpc", FORGET] == [resource.type for resource in reading.graph.resources]


def test_drift_that_a_plan_does_nothing_about_is_told(write):
    drifted = [change("aws_vpc.main", ("update",)), change("aws_vpc.other", ("delete",))]
    [reading] = read([write(plan(change("aws_vpc.main"), resource_drift=drifted), "plan.json")])

    assert [("aws_vpc.other", DRIFT)] == [
        (resource.address, resource.type)
        for resource in reading.graph.resources
        if resource.type != "aws_vpc"
    ]


def test_a_plan_knows_what_its_expressions_refer_to(write):
    expressions = {"vpc_id": {"references": ["aws_vpc.main.id", "aws_vpc.main"]}}
    configuration = {
        "root_module": {"resources": [{"address": "aws_subnet.a", "expressions": expressions}]}
    }
    path = write(
        plan(
            change(), change("aws_subnet.a", unknown={"vpc_id": True}), configuration=configuration
        ),
        "plan.json",
    )
    [reading] = read([path])
    vpc, subnet = reading.graph.resources

    assert ["aws_vpc.main"] == list(subnet.reference("vpc_id"))
    assert [subnet] == list(reading.graph.attached_to(vpc, "aws_subnet", by="vpc_id"))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (plan(change(), format_version="2.0"), "plan format 2.0 is not known"),
        (plan(change(), errored=True), "errored or incomplete"),
        (plan(change(), complete=False), "errored or incomplete"),
        (plan(change(), deferred_changes=[{}]), "errored or incomplete"),
        (plan(), "holds no resource"),
        (plan(change(), change()), "aws_vpc.main stands twice"),
        (plan(change(), planned_values={"root_module": {}}), "differ on aws_vpc.main"),
        (plan(change(), terraform_version=None), "no whole plan"),
        (plan({**change(), "address": None}), "no whole plan"),
        (plan({**change(), "mode": "borrowed"}), "no whole plan"),
        ({"planned_values": {}, "format_version": "1.2"}, "no whole plan"),
    ],
)
def test_what_is_no_whole_plan_is_refused(write, document, reason):
    assert reason in refused(write(document, "plan.json"))


def test_a_plan_that_says_two_things_is_refused(write):
    document = plan(change())
    document["planned_values"]["root_module"]["resources"][0]["values"] = {
        "cidr_block": "0.0.0.0/0"
    }

    assert "differ on aws_vpc.main" in refused(write(document, "plan.json"))


@given(st.binary())
def test_any_bytes_give_a_document_or_a_refusal(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "cdk.tf.json"
    path.write_bytes(content)

    with pytest.raises(DocumentError):
        read([path])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.sampled_from(["resource", "aws_vpc"]), inner)
    ),
)


@given(json_values)
def test_any_json_gives_a_document_or_a_refusal(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "cdk.tf.json"
    path.write_text(json.dumps(value))

    try:
        [reading] = read([path])
    except DocumentError as refusal:
        assert str(refusal).startswith(str(path))  # noqa: PT017 - either is right
    else:
        assert reading.content["resource"]


@given(json_values)
def test_json_is_decoded_as_it_is_encoded(value):
    assert value == strict_json.decode(json.dumps(value))
