# Eight of our policies, in Rego: the same resources, the same verdicts.
package pci

import rego.v1

found contains ["keys.rotation", name] if {
	some name, key in input.resource.aws_kms_key
	not rotates(key)
}

rotates(key) if {
	object.get(key, "enable_key_rotation", false) == true
	object.get(key, "rotation_period_in_days", 365) <= 365
}

found contains ["keys.deletion_window", name] if {
	some name, key in input.resource.aws_kms_key
	object.get(key, "deletion_window_in_days", 30) < 14
}

found contains ["keys.single_region", name] if {
	some name, key in input.resource.aws_kms_key
	object.get(key, "multi_region", false) != false
}

found contains ["audit_logs.retention", name] if {
	some name, group in input.resource.aws_cloudwatch_log_group
	days := object.get(group, "retention_in_days", 0)
	days != 0
	days < 90
}

found contains ["load_balancer.invalid_headers", name] if {
	some name, balancer in input.resource.aws_lb
	object.get(balancer, "drop_invalid_header_fields", false) != true
}

found contains ["network.public_addresses", name] if {
	some name, subnet in input.resource.aws_subnet
	object.get(subnet, "map_public_ip_on_launch", false) != false
}

found contains ["database.encryption", name] if {
	some name, cluster in input.resource.aws_rds_cluster
	object.get(cluster, "storage_encrypted", false) != true
}

found contains ["monitoring.alarm_actions", name] if {
	some name, alarm in input.resource.aws_cloudwatch_metric_alarm
	not acts(alarm)
}

acts(alarm) if {
	object.get(alarm, "actions_enabled", true) == true
	count(object.get(alarm, "alarm_actions", [])) > 0
}
