"""Expressions as we tell them, against the real Terraform, and where we do not tell."""

import contextlib
import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.engine import types
from policies.engine.expressions import Scope
from policies.engine.graph import Resource
from policies.engine.hcl import Undecided
from policies.engine.read import read
from policies.engine.values import UnknownValue

VARIABLES = {
    "name": "ledger",
    "on": True,
    "off": False,
    "number": 3,
    "blocks": ["10.0.0.0/16", "192.168.0.0/16"],
    "tags": {"team": "payments", "tier": "gold"},
}
LOCALS = {
    "prefix": "${var.name}-prod",
    "bucket": "${local.prefix}-logs",
    "ports": [22, 443],
    "objects": [{"name": "a", "size": 1}, {"name": "b", "size": 2}],
    "both": "${concat(local.ports, [var.number])}",
}
SCOPE = Scope(variables=VARIABLES, locals=LOCALS)

EXPRESSIONS = [
    "var.name",
    "local.bucket",
    "local.both",
    "local.both[2]",
    "true ? false : true",
    'var.on && !var.off ? "yes" : "no"',
    "1 + 2 * 3",
    "(1 + 2) * 3",
    "-var.number + 10",
    "8 / 2",
    "9007199254740993 == 9007199254740992",
    "9007199254740993 > 9007199254740992",
    "7 % 4",
    "-7 % 4",
    "1 < 2 == true",
    "var.number >= 3 || var.off",
    '"${var.name}/*"',
    '"a \\"quoted\\" text"',
    '"$${not.told}"',
    '["a", var.name, 3]',
    '{ a = 1, "b" = var.name, c : [true] }',
    'var.tags["team"]',
    "var.tags.tier",
    "upper(lower(var.name))",
    'format("arn:%s:%d", var.name, var.number)',
    'join(",", var.blocks)',
    'split(",", "a,b")',
    'merge(var.tags, { tier = "silver" })',
    'concat(var.blocks, ["0.0.0.0/0"])',
    "flatten([[1, 2], [[3]]])",
    'contains(var.blocks, "10.0.0.0/16")',
    "contains([1, 2], 2)",
    "contains([1, 2], 3)",
    '{ "a" : 1, b : 2 }',
    "length(var.tags)",
    "element(var.blocks, 3)",
    'lookup(var.tags, "none", "default")',
    "keys(var.tags)",
    "values(var.tags)",
    'coalesce("", "second")',
    'compact(["a", "", "b"])',
    "cidrsubnet(var.blocks[0], 8, 3)",
    'tonumber("42")',
    "tostring(true)",
    "max(1, 5, 3)",
    "min(4, 2)",
    'jsondecode("{\\"a\\": [1]}").a[0]',
    "one([1])",
    'try(var.name, "fallback")',
    'trimspace("  x ")',
    'distinct(["a", "b", "a"])',
    "[for x in var.blocks : x]",
    '[for x in var.blocks : "${x}!" if x != "10.0.0.0/16"]',
    '[for i, x in var.blocks : "${i}-${x}"]',
    "{ for k, v in var.tags : upper(k) => v }",
    '[for k, v in var.tags : "${k}=${v}"]',
    "{ for x in local.objects : x.name => x.size if x.size > 1 }",
    "[for x in local.objects : { n = x.name, s = [x.size] }]",
    "local.objects[*].name",
    "local.objects.*.name",
    "local.objects.*.name[1]",
    "var.name[*]",
    "null == null",
    "var.tags != null",
    "var.name == null",
    'replace(var.name, "edg", "-")',
    'trimprefix("aws/lambda", "aws/")',
    'trimsuffix("a.b", ".b")',
    'startswith(var.name, "led")',
    'endswith(var.name, "led")',
    "reverse(var.blocks)",
    'sort(["b", "a"])',
    'setunion(["b"], ["a", "b"])',
    "coalescelist([], var.blocks)",
    'zipmap(["a", "b"], [1, 2])',
    "range(3)",
    "range(2, 4)",
    "base64encode(var.name)",
    "1 + # one\n 1",
    "1 + // one\n 1",
    "1 + /* one\n and */ 1",
    "{ a = 1 # first\n b = 2 }",
]


@pytest.fixture(scope="module")
def told_by_terraform(tmp_path_factory):
    """Return what the real Terraform makes of EXPRESSIONS."""
    return applied(
        tmp_path_factory.mktemp("expressions"),
        EXPRESSIONS,
        variable={name: {"default": value} for name, value in VARIABLES.items()},
        locals=LOCALS,
    )


def applied(folder, expressions, **document):
    """Return what the real Terraform makes of *expressions* in *document*."""
    if shutil.which("terraform") is None:
        pytest.skip("there is no terraform on PATH")
    document["output"] = {
        f"o{number}": {"value": f"${{jsonencode({text})}}"}
        for number, text in enumerate(expressions)
    }
    (folder / "main.tf.json").write_text(json.dumps(document))
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TF_CLI_CONFIG_FILE": "/dev/null"}
    for command in (["init"], ["apply", "-auto-approve"]):
        subprocess.run(
            ["terraform", *command, "-input=false"],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
        )
    state = json.loads((folder / "terraform.tfstate").read_text())
    outputs = state["outputs"]
    return [json.loads(outputs[f"o{n}"]["value"]) for n in range(len(expressions))]


@pytest.mark.parametrize("number", range(len(EXPRESSIONS)))
def test_what_we_tell_is_what_terraform_tells(told_by_terraform, number):
    told = SCOPE.tell(f"${{jsonencode({EXPRESSIONS[number]})}}")
    plain = json.loads(json.dumps(told).replace("$${", "${"))

    assert (EXPRESSIONS[number], told_by_terraform[number]) == (EXPRESSIONS[number], plain)


@pytest.mark.parametrize(
    "expression",
    [
        "var.unset",
        "local.none",
        'aws_vpc.main.id == "vpc-1"',
        "[for x in var.unset : x]",
        "[for x in aws_subnet.all : x.id]",
        "[for x in var.blocks : x if aws_vpc.a.flag]",
        "{ for k, v in var.tags : k => v... }",
        '{ for k, v in var.tags : "same" => v }',
        "[for in var.blocks : 1]",
        "length(aws_subnet.all[*].id)",
        "concat(aws_subnet.all[*].id, [])",
        'replace(var.name, "/l.*/", "")',
        "range(3, 0)",
        "sort([2, 10])",
        "var.blocks[*][0]",
        "each.value",
        "count.index",
        "path.module",
        'file("secret.txt")',
        "timestamp()",
        "uuid()",
        'regex("a", var.name)',
        "1 / 0",
        "var.blocks[7]",
        'tonumber("x")',
        "var.tags.none",
        "upper(aws_vpc.main.id)",
        "var.name var.name",
        "(1 + 2",
        '"open',
        "<<EOT",
        "cidrsubnet(var.blocks[0], 40, 0)",
        "-",
        "!3",
        'format("%5.2f", 1)',
        'format("%s")',
        'coalesce("", "")',
        "var.blocks == var.blocks",
        "flatten([aws_subnet.all.ids])",
        "distinct([1, 2])",
        'contains([1, "a"], 1)',
        "cidrsubnet(var.blocks[0], 8, 256)",
        "one(var.blocks)",
        "(" * 5000,
    ],
)
def test_what_cannot_be_told_is_not_guessed(expression):
    with pytest.raises(Undecided):
        SCOPE.tell(f"${{{expression}}}")


@pytest.mark.parametrize("names", [{"a": "${local.a}"}, {"a": "${local.b}", "b": "x${local.a}"}])
def test_a_local_that_names_itself_is_not_told(names):
    """Terraform refuses it; here it must end."""
    assert "${" in json.dumps(Scope(locals=names).resolved("${local.a}"))


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("arn:${aws_s3_bucket.b.arn}/${var.name}", "arn:${aws_s3_bucket.b.arn}/ledger"),
        ("${[aws_s3_bucket.b.arn, var.name]}", ["${aws_s3_bucket.b.arn}", "ledger"]),
        ("${jsonencode({a = aws_s3_bucket.b.arn})}", {"a": "${aws_s3_bucket.b.arn}"}),
        ("${var.on ? aws_vpc.a.id : aws_vpc.b.id}", "${aws_vpc.a.id}"),
        ("${var.on || aws_vpc.a.flag}", True),
        ("${aws_vpc.a.flag && var.off}", False),
        ("${aws_subnet.all[*].id}", "${aws_subnet.all[*].id}"),
        ("${aws_subnet.all[var.number].id}", "${aws_subnet.all[3].id}"),
        ('${aws_subnet.all["${var.name}"].id}', '${aws_subnet.all["ledger"].id}'),
        ("${element(aws_subnet.all.*.id, 1)}", "${aws_subnet.all[1].id}"),
        ("${one(aws_subnet.all[*].id)}", "${aws_subnet.all[0].id}"),
        ('${join("", aws_subnet.all.*.id)}', "${aws_subnet.all[0].id}"),
        ("${aws_subnet.all.*.id[2]}", "${aws_subnet.all[2].id}"),
        ('${try(aws_subnet.all[0].id, "")}', "${aws_subnet.all[0].id}"),
        ('${replace(aws_x.y.arn, ":*", "")}', "${aws_x.y.arn}"),
        ('${trimsuffix(aws_x.y.arn, ":*")}', "${aws_x.y.arn}"),
        (
            "${[for x in var.blocks : aws_x.y[x].id]}",
            ['${aws_x.y["10.0.0.0/16"].id}', '${aws_x.y["192.168.0.0/16"].id}'],
        ),
        ("${[for x in var.blocks : upper(aws_x.y.id)]}", ["${(upper(aws_x.y.id))}"] * 2),
    ],
)
def test_what_names_a_resource_stays_what_it_is(template, told):
    assert told == SCOPE.tell(template)


@given(st.text())
def test_any_text_is_told_or_not_and_never_crashes(text):
    for template in (text, f"${{{text}}}"):
        with contextlib.suppress(Undecided):
            SCOPE.tell(template)


def stack(tmp_path, **blocks):
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "cdk.tf.json").write_text(json.dumps(blocks))
    [reading] = read([folder])
    return reading.graph


def test_a_policy_document_is_what_terraform_makes_of_it(tmp_path):
    statement = {
        "sid": "Read",
        "actions": ["s3:GetObject", "${var.more}"],
        "resources": ["${aws_s3_bucket.b.arn}/*"],
        "principals": [
            {"type": "AWS", "identifiers": ["arn:aws:iam::111122223333:root"]},
            {"type": "Service", "identifiers": ["ec2.amazonaws.com"]},
        ],
        "condition": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["true"]}],
    }
    graph = stack(
        tmp_path,
        variable={"more": {"default": "s3:ListBucket"}},
        data={
            "aws_iam_policy_document": {
                "base": {"statement": {"effect": "Deny", "not_actions": ["iam:*"]}},
                "d": {
                    "statement": [statement],
                    "source_policy_documents": ["${data.aws_iam_policy_document.base.json}"],
                },
            }
        },
        resource={
            "aws_s3_bucket_policy": {"b": {"policy": "${data.aws_iam_policy_document.d.json}"}}
        },
    )
    [policy] = graph.of_type("aws_s3_bucket_policy")
    denied, allowed = policy.get("policy.Statement")

    assert ("Deny", ["iam:*"]) == (denied["Effect"], list(denied["NotAction"]))
    assert ["s3:GetObject", "s3:ListBucket"] == list(allowed["Action"])
    assert {"AWS", "Service"} == set(allowed["Principal"])
    assert ["true"] == list(allowed["Condition"]["Bool"]["aws:SecureTransport"])
    with pytest.raises(UnknownValue):
        list(allowed["Resource"])


PORTS = [{"from": 22, "open": True}, {"from": "443", "open": "false"}]
DEFAULTS = [
    (None, {"a": [1, "x"]}),
    ("any", {"a": [1, "x"]}),
    ("string", 1),
    ("string", True),
    ("number", "22"),
    ("bool", "true"),
    ("list(string)", ["a", 1]),
    ("list", ["a", "b"]),
    ("map", {"a": "x", "b": "y"}),
    ("set(string)", ["b", "a", "b"]),
    ("list(any)", []),
    ("list(any)", [{"a": 1}, {"a": 2}]),
    ("map(list(string))", {"a": ["x"], "b": []}),
    ("tuple([string, number])", ["1", "1"]),
    ("list(map(string))", [{"a": "x"}, {"b": 1}]),
    ("list(object({from = number, open = bool}))", PORTS),
    ("object({ a = string, b = list(string) })", {"a": "x", "b": ["y"], "more": 1}),
    ("object({ a = optional(string), b = optional(number, 3), c = optional(bool) })", {"c": True}),
]


@pytest.fixture(scope="module")
def converted_by_terraform(tmp_path_factory):
    """Return what the real Terraform makes of DEFAULTS."""
    return applied(
        tmp_path_factory.mktemp("types"),
        [f"var.v{number}" for number in range(len(DEFAULTS))],
        variable={
            f"v{number}": {"default": default} | ({"type": type} if type else {})
            for number, (type, default) in enumerate(DEFAULTS)
        },
    )


@pytest.mark.parametrize("number", range(len(DEFAULTS)))
def test_a_default_is_what_terraform_makes_of_it(converted_by_terraform, number):
    type, default = DEFAULTS[number]

    assert (type, converted_by_terraform[number]) == (type, types.converted(type, default))


@pytest.mark.parametrize(
    ("type", "default"),
    [
        ("number", "1.5"),
        ("number", "01"),
        ("number", True),
        ("string", 1.5),
        ("string", ["a"]),
        ("bool", "1"),
        ("list(string)", ["a", None]),
        ("list(any)", ["a", 1]),
        ("list(string)", {"a": "b"}),
        ("map(string)", ["a"]),
        ("set(number)", [2, 10]),
        ("tuple([string])", ["a", "b"]),
        ("object({ a = string })", {}),
        ("object({ a = string })", []),
        ("object({ a = optional(list(string), [1 + 1]) })", {}),
        ("text", "a"),
        ("list(string, string)", ["a"]),
        ("aws_vpc.main", "a"),
        ("1 +", "a"),
    ],
)
def test_a_default_whose_type_is_another_is_not_told(type, default):
    with pytest.raises(Undecided):
        types.converted(type, default)


def test_of_two_statements_of_one_name_neither_is_told(tmp_path):
    """Terraform refuses the document; which one it means cannot be known."""
    twice = [{"sid": "A", "actions": ["s3:*"]}, {"sid": "A", "actions": ["s3:GetObject"]}]
    graph = stack(
        tmp_path,
        data={"aws_iam_policy_document": {"d": {"statement": twice}}},
        resource={"aws_iam_policy": {"p": {"policy": "${data.aws_iam_policy_document.d.json}"}}},
    )
    [policy] = graph.of_type("aws_iam_policy")

    with pytest.raises(UnknownValue):
        policy.get("policy.Statement")


RULE = {
    "security_group_id": "${aws_security_group.g.id}",
    "ip_protocol": "tcp",
    "from_port": "${each.value}",
    "to_port": "${each.value}",
}


def test_each_instance_has_its_own_values(tmp_path):
    graph = stack(
        tmp_path,
        variable={"ports": {"default": {"ssh": 22, "https": 443}}},
        resource={
            "aws_vpc_security_group_ingress_rule": {"r": {"for_each": "${var.ports}", **RULE}},
            "aws_subnet": {"s": {"count": 2, "cidr_block": "10.0.${count.index}.0/24"}},
            "aws_vpc": {"v": {"count": "${false ? 1 : 0}"}},
        },
    )
    rules = graph.of_type("aws_vpc_security_group_ingress_rule")

    assert {'aws_vpc_security_group_ingress_rule.r["ssh"]': 22} == {
        rule.address: rule.number("from_port") for rule in rules if "ssh" in rule.address
    }
    assert ["10.0.0.0/24", "10.0.1.0/24"] == [
        subnet.get("cidr_block") for subnet in graph.of_type("aws_subnet")
    ]
    assert ["aws_vpc.v"] == [resource.address for resource in graph.absent]


@pytest.mark.parametrize(
    "for_each", ["${aws_vpc.v.tags}", "${var.unset}", {"${aws_vpc.v.id}": 1}, "text"]
)
def test_instances_that_cannot_be_told_leave_one_resource(tmp_path, for_each):
    graph = stack(
        tmp_path,
        resource={"aws_vpc_security_group_ingress_rule": {"r": {**RULE, "for_each": for_each}}},
    )
    [rule] = graph.of_type("aws_vpc_security_group_ingress_rule")

    with pytest.raises(UnknownValue):
        rule.get("from_port")


def test_dynamic_blocks_are_written_out(tmp_path):
    dynamic = {
        "ingress": [
            {
                "for_each": "${var.ports}",
                "iterator": "port",
                "content": [
                    {
                        "from_port": "${port.value}",
                        "to_port": "${port.value}",
                        "protocol": "tcp",
                        "description": "rule ${port.key} of ${aws_vpc.v.id}",
                    }
                ],
            }
        ],
        "egress": [{"for_each": "${aws_vpc.v.tags}", "content": [{}]}],
    }
    graph = stack(
        tmp_path,
        variable={"ports": {"default": [22, 443]}},
        resource={"aws_security_group": {"g": {"dynamic": dynamic}}},
    )
    [group] = graph.of_type("aws_security_group")

    assert [22, 443] == [block.number("from_port") for block in group.blocks("ingress")]
    with pytest.raises(UnknownValue):
        list(group.blocks("egress"))
    with pytest.raises(UnknownValue):
        next(group.blocks("ingress")).get("description")


def test_dynamic_blocks_of_one_label_all_count(tmp_path):
    def recipe(port):
        content = {"from_port": port, "to_port": port, "protocol": "tcp"}
        return {"for_each": [port], "content": [content]}

    dynamic = [{"ingress": recipe(22)}, {"ingress": recipe(443)}]
    graph = stack(tmp_path, resource={"aws_security_group": {"g": {"dynamic": dynamic}}})
    [group] = graph.of_type("aws_security_group")

    assert [22, 443] == [block.number("from_port") for block in group.blocks("ingress")]


def test_dynamic_blocks_inside_a_block_are_not_overlooked(tmp_path):
    block = {"dynamic": {"ebs": {"for_each": [1], "content": {"encrypted": False}}}}
    resource = {"aws_launch_template": {"t": {"block_device_mappings": [block]}}}
    [template] = stack(tmp_path, resource=resource).of_type("aws_launch_template")

    with pytest.raises(UnknownValue):
        [list(mapping.blocks("ebs")) for mapping in template.blocks("block_device_mappings")]


def test_a_resource_without_a_scope_is_read_all_the_same():
    resource = Resource("aws_vpc.v", "aws_vpc", {"flag": "${true ? false : true}"})

    assert resource.get("flag") is False
