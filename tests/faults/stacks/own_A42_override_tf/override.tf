resource "aws_db_instance" "db" {
  publicly_accessible = true
}
