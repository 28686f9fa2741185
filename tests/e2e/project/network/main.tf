variable "cidr" { type = string }
variable "azs" { type = list(string) }
resource "aws_vpc" "v" {
  cidr_block = var.cidr
}
resource "aws_default_security_group" "d" { vpc_id = aws_vpc.v.id }
resource "aws_subnet" "public" {
  count             = length(var.azs)
  vpc_id            = aws_vpc.v.id
  cidr_block        = cidrsubnet(var.cidr, 8, count.index)
  availability_zone = var.azs[count.index]
}
resource "aws_subnet" "private" {
  for_each          = { for i, az in var.azs : az => i }
  vpc_id            = aws_vpc.v.id
  cidr_block        = cidrsubnet(var.cidr, 8, 10 + each.value)
  availability_zone = each.key
}
resource "aws_internet_gateway" "g" { vpc_id = aws_vpc.v.id }
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.v.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.g.id
  }
}
resource "aws_route_table" "private" { vpc_id = aws_vpc.v.id }
resource "aws_route_table_association" "public" {
  count          = length(var.azs)
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}
resource "aws_route_table_association" "private" {
  for_each       = aws_subnet.private
  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}
resource "aws_flow_log" "f" {
  vpc_id               = aws_vpc.v.id
  traffic_type         = "ALL"
  log_destination_type = "s3"
  log_destination      = "arn:aws:s3:::flow-logs"
}
output "vpc_id" { value = aws_vpc.v.id }
output "public" { value = aws_subnet.public[*].id }
output "private" { value = [for s in aws_subnet.private : s.id] }
