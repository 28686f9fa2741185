"""What names a resource, in a stack and where it is deployed."""

import pytest

from policies.engine.graph import Resource, ResourceGraph

GROUP = "arn:aws:logs:us-east-1:111122223333:log-group:trail"
BALANCER = "app/entry/0123456789abcdef"


@pytest.mark.parametrize(
    "named",
    [GROUP, f"{GROUP}:*", "${aws_cloudwatch_log_group.g.arn}:*", "aws_cloudwatch_log_group.g"],
)
def test_a_log_group_is_followed_by_any_form_of_its_arn(named):
    group = Resource("aws_cloudwatch_log_group.g", "aws_cloudwatch_log_group", {"arn": GROUP})
    trail = Resource("aws_cloudtrail.t", "aws_cloudtrail", {"cloud_watch_logs_group_arn": named})
    graph = ResourceGraph((group, trail))

    assert [group] == list(graph.follow(trail, "cloud_watch_logs_group_arn"))


@pytest.mark.parametrize("named", [BALANCER, "${aws_lb.b.arn_suffix}"])
def test_what_a_metric_is_about_is_found_by_the_end_of_its_arn(named):
    balancer = Resource("aws_lb.b", "aws_lb", {"arn_suffix": BALANCER})
    alarm = Resource(
        "aws_cloudwatch_metric_alarm.a",
        "aws_cloudwatch_metric_alarm",
        {"dimensions": {"LoadBalancer": named}},
    )
    graph = ResourceGraph((balancer, alarm))

    assert [alarm] == list(graph.attached_to(balancer, alarm.type, by="dimensions.LoadBalancer"))
