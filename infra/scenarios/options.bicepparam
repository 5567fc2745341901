// Tags, redundancy, plans of new tables, logs and instances that are always ready.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = ''
param sentinelOneUrl = 'https://example.sentinelone.net'
param sentinelOneTablesToCreate = ['SentinelOneAgents_CL', 'SentinelOneGroups_CL']
param tags = {
  CostCenter: '42'
}
param tableOptions = {
  SentinelOneAgents_CL: {
    plan: 'Basic'
    totalRetentionInDays: 365
  }
}
param storageRedundancy = 'ZRS'
param timerAlwaysReadyInstances = 1
param telemetryMode = 'OpenTelemetry'
param vaultAuditLogs = true
