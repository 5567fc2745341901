// A log alert on failed runs, which tells an action group.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param sentinelOneUrl = 'https://tenant.sentinelone.example.com'
param alertOnFailedRuns = true
param alertActionGroupId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/operations/providers/Microsoft.Insights/actionGroups/on-call'
