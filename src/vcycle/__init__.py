"""vcycle"""
