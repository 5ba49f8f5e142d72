"""What if 60 % had PV: equips a case by rule and seed."""
